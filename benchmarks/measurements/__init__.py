"""The measurements, in the order in which they are made."""

from benchmarks.measurements.dds import Dds
from benchmarks.measurements.gradient import Gradient
from benchmarks.measurements.jitter import Jitter
from benchmarks.measurements.many import Many
from benchmarks.measurements.measurement import Measurement
from benchmarks.measurements.shortest import Shortest
from benchmarks.measurements.soak import Soak
from benchmarks.measurements.step_cost import StepCost

MEASUREMENTS: dict[str, type[Measurement]] = {
    kind.name: kind for kind in (Jitter, StepCost, Gradient, Shortest, Dds, Many, Soak)
}
