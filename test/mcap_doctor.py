"""What `mcap doctor` looks at, with the library's records: each record of a file, and whether they fit together."""

import zlib
from collections import Counter
from io import BytesIO

from mcap.data_stream import ReadDataStream
from mcap.reader import make_reader
from mcap.records import (  # fmt: skip
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Message,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.stream_reader import StreamReader, breakup_chunk


def check_strictly(file):
    """Raise AssertionError, or what the library raises, where anything is wrong with a file."""
    with file.open("rb") as stream:
        doctor = _Doctor(file.read_bytes())
        for record in StreamReader(stream, emit_chunks=True, validate_crcs=True).records:
            doctor.see(record)
        assert stream.read() == b"", "something stands behind the end"
        doctor.conclude()
        stream.seek(0)
        reader = make_reader(stream, validate_crcs=True)
        assert sum(1 for _ in reader.iter_messages()) == sum(doctor.messages.values())
        assert sum(1 for _ in reader.iter_metadata()) == doctor.kinds[Metadata]


class _Doctor:
    def __init__(self, data):
        self.data = data
        self.kinds = Counter()
        self.messages = Counter()
        self.schemas, self.channels = {}, {}
        self.times = []
        self.chunks, self.chunk_indexes, self.metadata_indexes = [], [], []
        self.in_summary = False
        self.chunk_messages = {}

    def see(self, record):
        self.kinds[type(record)] += not self.in_summary
        if isinstance(record, Schema):
            assert record.id != 0
            assert record.encoding
            assert record.data
            self._same(self.schemas, record)
        elif isinstance(record, Channel):
            assert record.schema_id in self.schemas, "a channel before its schema"
            assert record.message_encoding
            self._same(self.channels, record)
        elif isinstance(record, Message):
            raise AssertionError("a message outside of chunks")
        elif isinstance(record, Chunk):
            self._chunk(record)
        elif isinstance(record, MessageIndex):
            expected = sorted(self.chunk_messages.pop(record.channel_id))
            assert sorted(record.records) == expected, "an index of messages that are not there"
        elif isinstance(record, DataEnd):
            self.in_summary = True
        elif isinstance(record, ChunkIndex):
            self.chunk_indexes.append(record)
        elif isinstance(record, MetadataIndex):
            self.metadata_indexes.append(record)
        elif isinstance(record, Statistics):
            self._statistics(record)
        elif isinstance(record, Footer):
            self._footer(record)
        else:
            assert isinstance(record, SummaryOffset | Metadata) or not self.in_summary, type(record)

    def conclude(self):
        assert self.in_summary
        assert not self.chunk_messages, "messages without an index"
        assert self.kinds[Statistics] == 0
        assert len(self.chunk_indexes) == len(self.chunks)
        for index, chunk in zip(self.chunk_indexes, self.chunks, strict=True):
            content = self._record_at(index.chunk_start_offset, index.chunk_length, 0x06)
            found = Chunk.read(ReadDataStream(BytesIO(content)))
            assert found == chunk
            assert (index.message_start_time, index.message_end_time) == (
                chunk.message_start_time,
                chunk.message_end_time,
            )
            assert (index.compressed_size, index.uncompressed_size) == (len(chunk.data), chunk.uncompressed_size)
            for channel, offset in index.message_index_offsets.items():
                assert self.data[offset] == 0x07
                assert int.from_bytes(self.data[offset + 9 : offset + 11], "little") == channel
        for index in self.metadata_indexes:
            content = self._record_at(index.offset, index.length, 0x0C)
            assert Metadata.read(ReadDataStream(BytesIO(content))).name == index.name

    def _record_at(self, offset, length, opcode):
        assert self.data[offset] == opcode
        assert int.from_bytes(self.data[offset + 1 : offset + 9], "little") == length - 9
        return self.data[offset + 9 : offset + length]

    def _same(self, known, record):
        assert known.setdefault(record.id, record) == record, "one id for two"

    def _chunk(self, chunk):
        assert not self.chunk_messages, "messages without an index"
        assert chunk.compression == "zstd"
        assert chunk.uncompressed_crc != 0, "no checksum"
        self.chunks.append(chunk)
        times, offset = [], 0
        for record in breakup_chunk(chunk, validate_crc=True):
            size = _size(record)
            if isinstance(record, Message):
                assert record.channel_id in self.channels, "a message before its channel"
                self.chunk_messages.setdefault(record.channel_id, []).append((record.log_time, offset))
                self.messages[record.channel_id] += 1
                times.append(record.log_time)
            else:
                self.see(record)
            offset += size
        assert offset == chunk.uncompressed_size
        assert times, "an empty chunk"
        assert (min(times), max(times)) == (chunk.message_start_time, chunk.message_end_time)
        self.times += times

    def _statistics(self, found):
        assert self.in_summary
        assert found.message_count == sum(self.messages.values())
        assert {key: n for key, n in found.channel_message_counts.items() if n} == dict(self.messages)
        assert (found.chunk_count, found.metadata_count) == (len(self.chunks), self.kinds[Metadata])
        assert (found.schema_count, found.channel_count) == (len(self.schemas), len(self.channels))
        if self.times:
            assert (found.message_start_time, found.message_end_time) == (min(self.times), max(self.times))

    def _footer(self, footer):
        assert footer.summary_crc != 0
        begin = footer.summary_start
        end = len(self.data) - 8 - 4  # the checksum covers all but itself and the magic
        assert zlib.crc32(self.data[begin:end]) == footer.summary_crc


def _size(record):
    """Bytes of a record within a chunk, its head included."""
    if isinstance(record, Message):
        return 9 + 22 + len(record.data)
    if isinstance(record, Schema):
        return 9 + 2 + 4 + len(record.name.encode()) + 4 + len(record.encoding.encode()) + 4 + len(record.data)
    metadata = sum(8 + len(key.encode()) + len(value.encode()) for key, value in record.metadata.items())
    return 9 + 4 + 4 + len(record.topic.encode()) + 4 + len(record.message_encoding.encode()) + 4 + metadata
