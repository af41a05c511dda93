"""Reading an MCAP file from its beginning to where it is cut off, past what is damaged."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import TypeAlias, cast

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Message, Metadata, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC
from zstandard import ZstdError

from rtgym_ros.record.errors import RecordError

Record: TypeAlias = Schema | Channel | Message | Metadata | Attachment

_FRAME = struct.Struct("<BQ")  # opcode, length
_KINDS = {Opcode.SCHEMA: Schema, Opcode.CHANNEL: Channel, Opcode.METADATA: Metadata, Opcode.ATTACHMENT: Attachment}


def salvage(file: Path, damage: list[str]) -> Iterator[Record]:
    """Yield the records of the data section; what cannot be read is skipped and described in ``damage``.

    Raises:
        RecordError: it is no MCAP file.
    """
    with file.open("rb") as stream:
        begin = stream.read(len(MCAP0_MAGIC))
        if begin != MCAP0_MAGIC:
            if not MCAP0_MAGIC.startswith(begin):
                raise RecordError(f"{file}: not an MCAP file")
            damage.append("nothing had been written into it yet")
            return
        while True:
            at = stream.tell()
            frame = stream.read(_FRAME.size)
            if len(frame) < _FRAME.size:
                damage.append(f"it ends at byte {at}, without the index")
                return
            opcode, length = _FRAME.unpack(frame)
            if opcode == Opcode.DATA_END:
                stream.seek(-len(MCAP0_MAGIC), SEEK_END)
                if stream.read() != MCAP0_MAGIC:
                    damage.append("it is cut off within the index")
                return
            # Not stream.read(length): a damaged length may be larger than any memory.
            if length > file.stat().st_size - stream.tell():
                damage.append(f"it is cut off within the record at byte {at}")
                return
            try:
                yield from _records(opcode, stream.read(length))
            except (McapError, ValueError, struct.error, ZstdError) as error:
                damage.append(f"the record at byte {at} is damaged ({type(error).__name__})")


def _records(opcode: int, data: bytes) -> list[Record]:
    """Return the records in the content of one record of the file."""
    stream = ReadDataStream(BytesIO(data))
    if opcode == Opcode.CHUNK:
        return cast("list[Record]", breakup_chunk(Chunk.read(stream), validate_crc=True))
    if opcode == Opcode.MESSAGE:
        return [Message.read(stream, len(data))]
    kind = _KINDS.get(Opcode(opcode)) if opcode in set(Opcode) else None
    return [kind.read(stream)] if kind is not None else []
