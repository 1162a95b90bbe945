"""Makes the event files that tests import, and what TensorBoard reads in them: expected.json.

    python3 generate.py

Written by PyTorch's SummaryWriter (2.15.0) and by TensorBoard (2.21.0) as Keras's callback writes them: tensors in folders
`train` and `validation`. What is in them is read back with TensorBoard's EventAccumulator.
"""

import json
import math
import pathlib
import shutil

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util
from torch.utils.tensorboard import SummaryWriter

HERE = pathlib.Path(__file__).parent
LOGS = HERE / "logs"
BEGAN = 1_700_000_000.0


def name_files():
    """Names that tell nothing of the machine, in the same order."""
    for folder in {path.parent for path in LOGS.rglob("*tfevents*")}:
        for number, path in enumerate(sorted(folder.glob("*tfevents*"))):
            path.rename(folder / f"events.out.tfevents.{BEGAN + number:.0f}.host")
    # The folder of `add_hparams` is named by the time.
    for path in (LOGS / "torch").glob("1[0-9]*.[0-9]*"):
        path.rename(path.parent / "1700000000.5")


def torch_run():
    writer = SummaryWriter(LOGS / "torch")
    for step in range(0, 200, 10):
        loss = math.nan if step == 50 else math.inf if step == 60 else 2.3 * math.exp(-step / 100) + 0.01 * math.sin(step)
        at = BEGAN + step * 0.25
        writer.add_scalar("Loss/train", loss, step, walltime=at)
        writer.add_scalar("Accuracy/train", 1 - math.exp(-step / 80), step, walltime=at)
        writer.add_scalar("lr", 0.1 * 0.99**step, step, walltime=at)
        writer.add_scalar("grad_norm", 5 / (step + 1), step, walltime=at)
        if step % 50 == 40:
            writer.add_scalar("Loss/val", 2.4 * math.exp(-step / 100), step, walltime=at + 0.1)
            writer.add_scalar("Accuracy/val", 90 - 80 * math.exp(-step / 80), step, walltime=at + 0.1)
            writer.add_histogram("weights", numpy.linspace(-1, 1, 16), step, walltime=at)
    writer.add_text("notes", "a note")
    writer.add_hparams({"lr": 0.1, "batch_size": 32, "optimizer": "sgd", "nesterov": True}, {"hparam/accuracy": 0.9})
    writer.close()


def restarted_run():
    """Killed after step 5, taken up again at step 3."""
    for first, purge in [(0, None), (3, 3)]:
        writer = SummaryWriter(LOGS / "restarted", purge_step=purge, filename_suffix=f".{first}")
        for step in range(first, first + 6):
            writer.add_scalar("train_loss", 1 / (step + 1) + first, step, walltime=BEGAN + 60 * first + step)
        writer.close()


def keras_run():
    for split, shift in [("train", 0.0), ("validation", 0.25)]:
        writer = EventFileWriter(str(LOGS / "keras" / split), filename_suffix=".v2")
        for epoch in range(4):
            for tag, value in [("epoch_loss", 1 / (epoch + 1) + shift), ("epoch_accuracy", 0.5 + epoch / 10 - shift), ("epoch_learning_rate", 0.001)]:
                if tag == "epoch_learning_rate" and split == "validation":
                    continue
                summary = scalar_pb(tag, value)
                if epoch == 3:
                    # As TensorFlow writes it: the bytes of the number.
                    tensor = summary.value[0].tensor
                    content = numpy.float32(tensor_util.make_ndarray(tensor)).tobytes()
                    del tensor.float_val[:]
                    tensor.tensor_content = content
                writer.add_event(Event(wall_time=BEGAN + 10 * epoch, step=epoch, summary=summary))
        writer.close()


def no_scalars():
    writer = SummaryWriter(LOGS / "pictures")
    writer.add_image("digit", numpy.zeros((1, 8, 8)), 1)
    writer.add_histogram("weights", numpy.linspace(-1, 1, 16), 1)
    writer.close()


def word(value):
    return "nan" if math.isnan(value) else "inf" if math.isinf(value) else value


def read_back():
    expected = {}
    for folder in sorted({path.parent for path in LOGS.rglob("*tfevents*")}):
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        tags = {tag: [(e.step, e.wall_time, word(e.value)) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
        for tag in events.Tags()["tensors"]:
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
                tags[tag] = [(e.step, e.wall_time, tensor_util.make_ndarray(e.tensor_proto).item()) for e in events.Tensors(tag)]
        expected[str(folder.relative_to(LOGS))] = tags
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    shutil.rmtree(LOGS, ignore_errors=True)
    torch_run()
    restarted_run()
    keras_run()
    no_scalars()
    name_files()
    read_back()
