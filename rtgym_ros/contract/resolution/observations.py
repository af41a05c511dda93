"""Parts of the observation against their message types."""

from __future__ import annotations

from dataclasses import dataclass

from rtgym_ros.contract.conversions.chain import Load
from rtgym_ros.contract.messages.field_reader import Deserialize
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.contract.observations.part_reader import PartReader
from rtgym_ros.contract.records import conversion as records
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.located import check_paths, located


@dataclass(frozen=True)
class ResolvedObservation:
    """What reads one part of the observation.

    Attributes:
        reader: of its values.
        stamp: of its stamp.
    """

    reader: PartReader
    stamp: StampReader


def resolve_observation(
    contract: Contract, name: str, layout: StructType, load: Load | None = None, deserialize: Deserialize | None = None
) -> ResolvedObservation:
    """Return what reads the part ``name`` out of messages of ``layout``.

    Args:
        contract: read before.
        name: of the part.
        layout: of the part's message type.
        load: imports the functions of ``convert``; None: a contract with functions is refused.
        deserialize: decodes a whole message, where values cannot be found in the bytes.

    Raises:
        ContractError: an entry does not fit the message type; it says where.
    """
    part, source, key = contract.observation[name], contract.source, ("observation", name)
    if not any(isinstance(convert, records.Image) for convert in part.convert):
        ranges = any(isinstance(convert, records.Ranges) for convert in part.convert)
        check_paths(source, key, layout, part.fields, part.names, allow_whole=ranges)
    with located(source, key):
        reader = PartReader(part, layout, deserialize, load)
    for side in ("low", "high"):
        bound = getattr(part, side)
        if isinstance(bound, tuple) and (len(bound),) != reader.shape:
            values = " x ".join(str(size or "?") for size in reader.shape)
            raise source.error(
                (*key, side), f"{len(bound)} numbers for {values} values; allowed: one number, or one a value"
            )
    with located(source, (*key, "stamp")):
        stamp = StampReader(layout, part.stamp, deserialize)
    return ResolvedObservation(reader, stamp)
