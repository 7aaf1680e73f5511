"""Bad plugins: each is the complete one with a line or two changed, the check that catches it, and what it says.

``python tests/testing/bad_plugins.py`` prints them as the table of docs/guides/checking-plugins.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

COMPLETE = Path(__file__).with_name("complete_plugin.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Bad:
    """What is wrong in words, the check that finds it, the change, and a part of what is said."""

    what: str
    check: str
    old: str
    new: str
    says: str

    @property
    def source(self) -> str:
        assert self.old in COMPLETE, self.what
        return COMPLETE.replace(self.old, self.new)


_OPEN = '    rng = torch.Generator().manual_seed(2 * context.seed + (split == "heldout"))\n'
_ITEM = "        item = super().__getitem__(index)\n"
_REAL = '        real = items["sample"].float() / 127.5 - 1\n'
_MADE = "        return self.out(made.relu()).tanh().reshape(-1, 2, 4)\n"
_SCORE = "        return scores.squeeze(1)\n"
_GENERATOR = "        self.hidden = nn.Linear(context.noise[0] + self.classes, 16)\n"
_CRITIC = "        self.hidden = nn.Linear(8 + self.classes, 16)\n"
_GAP = '    return {"gap": (sides.candidate.real.mean(0) - sides.reference.real.mean(0)).abs().mean().item()}\n'
_DULL = '    spread = vitals.fake.float().std().item()\n    return "all values are alike" if spread < 1e-6 else None\n'
_PENALTY = "        norms = gradient_norms(critic, interpolate(real, fake, rng), condition)\n"

BAD = [
    # -- the plugin ---------------------------------------------------------------------------------------------------
    Bad("declares no API", "plugin/loads", "WGANX_API = 1\n", "", "it needs a line WGANX_API = 1"),
    Bad("misspells a hook", "plugin/loads", "def wganx_tasks()", "def wganx_task()", "did you mean 'wganx_tasks'?"),
    Bad(
        "exits when imported",
        "plugin/loads",
        "WGANX_API = 1\n",
        "raise SystemExit(3)\n",
        "does not import: SystemExit: 3",
    ),
    Bad("names a part in capitals", "plugin/loads", 'name="gap"', 'name="Gap"', "names are lower-case words"),
    Bad("imports torch when declared", "plugin/light", "", "", "name factories as 'package.module:name'"),
    Bad(
        "builds on what is not there", "plugin/extends", "EXTENDS = ()", 'EXTENDS = ("imag",)', "did you mean 'image'?"
    ),
    Bad(
        "has no scenario",
        "plugin/runnable",
        "    yield Scenario(",
        "    if False:\n        yield Scenario(",
        "add wganx_scenarios",
    ),
    Bad(
        "has only data that must be fetched",
        "plugin/offline",
        'source="drawn", licence="MIT", offline=True)\n    yield Dataset',
        'source="drawn", licence="MIT", offline=False)\n    yield Dataset',
        "add a small synthetic one",
    ),
    # -- any part -----------------------------------------------------------------------------------------------------
    Bad("does not say what a part is", "metric/summary", 'summary="mean gap"', 'summary=""', "say in a few words"),
    Bad(
        "names a factory that is not there",
        "task/factories",
        "build=Generate,",
        'build="wganx_bits.tasks:Generate",',
        "'package.module:name'",
    ),
    Bad(
        "has a factory of other arguments",
        "task/signature",
        "build=Generate,",
        "build=lambda config: Generate,",
        "let it take (config, formats)",
    ),
    Bad(
        "takes an option's name from the core",
        "dataset/options",
        "    count: int = 64",
        "    count: int = 64\n    feed: str = ''",
        "give the option another name",
    ),
    Bad(
        "has a default of the wrong kind",
        "dataset/options",
        "    count: int = 64",
        "    count: int = 'many'",
        "give every option a default",
    ),
    Bad(
        "has no licence",
        "dataset/card",
        'licence="MIT", offline=True)\n    yield Dataset',
        'licence="", offline=True)\n    yield Dataset',
        "write DataCard(licence=...)",
    ),
    # -- datasets -----------------------------------------------------------------------------------------------------
    Bad("does not open", "dataset/opens", _OPEN, _OPEN + '    {}["bits"]\n', "raised KeyError: 'bits'"),
    Bad(
        "items without formats",
        "dataset/opens",
        _OPEN,
        _OPEN + "    return [{'sample': torch.zeros(2)}]\n",
        "a SampleFormat for every key",
    ),
    Bad(
        "a key without a format",
        "dataset/formats",
        _ITEM,
        _ITEM + '        item["extra"] = torch.zeros(1)\n',
        "give every key of an item a format",
    ),
    Bad(
        "items of several sizes",
        "dataset/shapes",
        _ITEM,
        _ITEM + '        item["sample"] = item["sample"][:, : 2 + index % 3]\n',
        "bring every item to the size",
    ),
    Bad(
        "values beyond their range",
        "dataset/values",
        "value_range=(0.0, 255.0)",
        "value_range=(-1.0, 1.0)",
        "(0 to 255 for uint8 pixels)",
    ),
    Bad(
        "labels that count from 1",
        "dataset/labels",
        _ITEM,
        _ITEM + '        item["label"] = item["label"] + 1\n',
        "count classes from 0",
    ),
    Bad(
        "another length by turns",
        "dataset/length",
        "class Bits(ArrayItems):\n",
        "class Bits(ArrayItems):\n    calls = 0\n\n    def __len__(self):\n        Bits.calls += 1\n"
        "        return 60 + Bits.calls % 5\n\n",
        "let the configuration and the seed fix it",
    ),
    Bad(
        "other items with the same seed",
        "dataset/repeatable",
        _OPEN,
        "    rng = torch.Generator()\n    rng.seed()\n",
        "torch.Generator().manual_seed(context.seed + i)",
    ),
    Bad(
        "items drawn in the order of reading",
        "dataset/order",
        _ITEM,
        "        self.turn = getattr(self, 'turn', 0) + 1\n"
        + _ITEM
        + "        item['sample'] = (item['sample'] + self.turn) % 200\n",
        "augmenting is the task's",
    ),
    Bad(
        "seeds everybody's stream",
        "dataset/streams",
        _OPEN,
        _OPEN + "    torch.manual_seed(0)\n",
        "moved torch's global random stream",
    ),
    Bad(
        "trains on held-out items",
        "dataset/splits",
        _OPEN,
        "    rng = torch.Generator().manual_seed(context.seed)\n",
        "split by item",
    ),
    Bad(
        "cannot be sent to a worker",
        "dataset/workers",
        "    return Bits({",
        "    Bits.__reduce__ = lambda self: (open, ())\n    return Bits({",
        "open them in __getitem__",
    ),
    Bad(
        "fits something else every time",
        "dataset/fit",
        '{"mean": 0.5,',
        '{"mean": torch.rand(()).item(),',
        "draws that follow from context.seed",
    ),
    Bad("fits what no run can store", "dataset/fit", '{"mean": 0.5,', '{"mean": object(),', "or what JSON can hold"),
    # -- tasks --------------------------------------------------------------------------------------------------------
    Bad(
        "breaks where a key is missing",
        "task/builds",
        'formats.need("label", "task.name=generate")',
        'formats["colour"]',
        "ask for keys by formats.need",
    ),
    Bad(
        "samples left as integers",
        "task/samples",
        _REAL,
        '        real = items["sample"]\n        training = False\n',
        "turn storage into floating point",
    ),
    Bad(
        "samples in another range",
        "task/samples",
        " / 127.5 - 1\n",
        "\n        training = False\n",
        "into the value_range of self.sample",
    ),
    Bad(
        "fits the task to another thing every time",
        "task/fit",
        '"draw": 0.5}',
        '"draw": torch.rand(()).item()}',
        "fit without draws, or with a fixed seed",
    ),
    Bad(
        "fits for the task what no run can store",
        "task/fit",
        '"draw": 0.5}',
        '"draw": items}',
        "or what JSON can hold",
    ),
    Bad(
        "context it does not declare",
        "task/inputs",
        "self.context = self.condition =",
        "self.condition =",
        "declare in self.context",
    ),
    Bad(
        "augments held-out samples",
        "task/heldout",
        "        if training:\n            real",
        "        if True:\n            real",
        "augment only when training",
    ),
    Bad(
        "shuffles the samples of a batch",
        "task/rows",
        'given = {"label": items["label"]}',
        'given = {"label": items["label"]}\n        real = real.sort(0).values',
        "compute nothing across rows",
    ),
    Bad(
        "draws from everybody's stream",
        "task/streams",
        "generator=rng, device=real.device)).clamp",
        "device=real.device)).clamp",
        "draw from a generator of your own",
    ),
    Bad("writes to the data", "task/untouched", _REAL, '        items["sample"] //= 2\n' + _REAL, "work on a copy"),
    Bad(
        "an option for files of a name that is taken",
        "task/applied",
        "build=Generate, fit=count_bits",
        'build=Generate, fit=count_bits, applied=("seed",), '
        'config=type("Seeded", (Config,), {"__annotations__": {"seed": int}, "seed": 0})',
        "give the option another name",
    ),
    Bad(
        "makes another file every time",
        "task/files",
        "make({})[0, : len(rows)]",
        "torch.rand(2, 4)[: len(rows)]",
        "draw nothing but by make(context)",
    ),
    Bad("names no baseline", "task/baselines", '{"noise": noise}', "{}", "name at least one trivial solution"),
    Bad(
        "a baseline of another shape",
        "task/baselines",
        "generator=rng) * 2 - 1",
        "generator=rng)[:1] * 2 - 1",
        "return samples of the shape of batch.real",
    ),
    Bad(
        "changes samples at a strength of 0",
        "task/augment",
        "device=samples.device) < strength",
        "device=samples.device) < 0.9",
        "change a share of strength",
    ),
    Bad("shows the critic less", "task/augment", "flip(1), samples)", "flip(1), samples)[:, :1]", "as many samples"),
    Bad(
        "augments beside the graph",
        "task/augment",
        "flip(1), samples)",
        "flip(1), samples).detach()",
        "detach nothing, and stay in torch",
    ),
    Bad("a loss for every row", "task/losses", ".square().mean()}", ".square().mean(1)}", "reduce it to a scalar"),
    Bad(
        "a loss without a gradient", "task/losses", ".square().mean()}", ".square().mean().detach()}", "detach nothing"
    ),
    Bad(
        "a helper that learns with nobody",
        "task/helpers",
        "Helper(nn.Linear(8, 2))",
        'Helper(nn.Linear(8, 2), "critik")',
        "'generator', 'critic' or None",
    ),
    Bad(
        "a stage that is a list",
        "task/stage",
        "/ 2)\n\n    def at(self, step):\n        return step // 1000",
        "/ 2)\n\n    def at(self, step):\n        return [step]",
        "return a plain value",
    ),
    # -- generators ---------------------------------------------------------------------------------------------------
    Bad(
        "a generator that does not build",
        "generator/builds",
        _GENERATOR,
        "        self.hidden = nn.Linear(config.width, 16)\n",
        "wganx.PreflightError",
    ),
    Bad(
        "samples of another shape",
        "generator/shape",
        _MADE,
        "        return self.out(made.relu()).tanh()\n",
        "return (N, *context.sample.shape)",
    ),
    Bad(
        "fails on a batch of one",
        "generator/shape",
        _MADE,
        _MADE.replace("4)\n", "4).squeeze(0)\n"),
        "for every N, 1 among them",
    ),
    Bad("ends in the wrong activation", "generator/range", ".tanh()", ".sigmoid()", "tanh for -1 to 1"),
    Bad("ends in no activation", "generator/range", ".tanh()", ".mul(99)", "reaches from"),
    Bad(
        "layers that nothing uses",
        "generator/gradients",
        _GENERATOR,
        _GENERATOR + "        self.spare = nn.Linear(2, 2)\n",
        "use every layer that is made",
    ),
    Bad(
        "seeds in build",
        "generator/seeded",
        _GENERATOR,
        "        torch.manual_seed(0)\n" + _GENERATOR,
        "the engine seeds",
    ),
    Bad(
        "weights from elsewhere",
        "generator/seeded",
        _GENERATOR,
        _GENERATOR + "        import numpy as np\n        rng = np.random.default_rng()\n"
        "        self.hidden.weight.data = torch.from_numpy(rng.normal(size=self.hidden.weight.shape)).float()\n",
        "initialise with torch's own functions",
    ),
    Bad(
        "state outside its state_dict",
        "generator/weights",
        _MADE,
        "        self.shift = getattr(self, 'shift', None) or [torch.randn(8)]\n"
        "        return (self.out(made.relu()) + self.shift[0]).tanh().reshape(-1, 2, 4)\n",
        "register_buffer",
    ),
    Bad(
        "draws in evaluation mode",
        "generator/evaluation",
        "made = self.hidden(",
        "made = torch.rand(1) + self.hidden(",
        "draw only in training mode",
    ),
    Bad(
        "makes tensors on the CPU",
        "generator/device",
        "device=label.device)).to(noise.dtype)",
        ")).to(noise.dtype)",
        "device=x.device",
    ),
    Bad(
        "overflows in bf16",
        "generator/bf16",
        "made = self.hidden(torch.cat([noise, one_hot], dim=1))",
        "made = self.hidden(torch.cat([noise, one_hot], dim=1))\n        made = made / (made.dtype == torch.float32)",
        "in fp32",
    ),
    Bad(
        "a network's stage that is a list",
        "generator/stage",
        _MADE + "\n    def at(self, step):\n        return step // 1000",
        _MADE + "\n    def at(self, step):\n        return [step]",
        "return a plain value",
    ),
    # -- critics ------------------------------------------------------------------------------------------------------
    Bad("scores as a column", "critic/scores", _SCORE, "        return scores\n", "end in .squeeze(1)"),
    Bad(
        "ends in a sigmoid",
        "critic/unbounded",
        _SCORE,
        "        return scores.squeeze(1).sigmoid()\n",
        "remove the sigmoid",
    ),
    Bad(
        "batch norm in the critic",
        "critic/rows",
        _CRITIC + "        self.out = nn.Linear(16, 1)",
        "        self.hidden = nn.Sequential(nn.Linear(8 + self.classes, 16), nn.BatchNorm1d(16))\n"
        "        self.out = nn.Linear(16, 1)",
        "use layer norm, instance norm or none",
    ),
    Bad(
        "detached on the way",
        "critic/twice",
        "seen = torch.cat([x.flatten(1), one_hot], dim=1)",
        "seen = torch.cat([x.flatten(1).detach(), one_hot], dim=1)",
        "neither .detach() nor .data",
    ),
    Bad(
        "not as Lipschitz as declared",
        "critic/lipschitz",
        'role="critic",',
        'role="critic", lipschitz=True,',
        "wganx.nn.LipschitzMLP",
    ),
    # -- metrics and extractors ---------------------------------------------------------------------------------------
    Bad("a number without a name", "metric/numbers", _GAP, "    return 0.5\n", "return names with numbers"),
    Bad("a tensor as a number", "metric/numbers", ".mean().item()}", ".mean()}", "return plain, finite floats"),
    Bad("a word for a class", "metric/numbers", _GAP, '    return {"gap": {"cat": "high"}}\n', "return plain floats"),
    Bad("ends the interpreter", "metric/numbers", _GAP, "    raise SystemExit(1)\n", "raised SystemExit: 1"),
    Bad("ranks what it does not give", "metric/better", 'better={"gap"', 'better={"fid"', "name in better the numbers"),
    Bad(
        "writes to the samples", "metric/untouched", _GAP, "    sides.candidate.real.mul_(2)\n" + _GAP, "work on a copy"
    ),
    Bad(
        "another number every time",
        "metric/repeatable",
        _GAP,
        "    torch.manual_seed(0)\n" + _GAP,
        "seed no global stream",
    ),
    Bad(
        "better the wrong way round", "metric/direction", '{"gap": "lower"}', '{"gap": "higher"}', "turn better around"
    ),
    Bad(
        "features that are maps",
        "extractor/features",
        "return nn.Sequential(nn.Flatten(), nn.Linear(8, 4))",
        "return nn.Sequential(nn.Linear(4, 4))",
        "end in .flatten(1)",
    ),
    Bad(
        "features that know their batch",
        "extractor/rows",
        "nn.Flatten(), nn.Linear(8, 4))",
        "nn.Flatten(), nn.BatchNorm1d(8, track_running_stats=False))",
        "use statistics that are stored",
    ),
    # -- modalities ---------------------------------------------------------------------------------------------------
    Bad(
        "writes nothing",
        "modality/files",
        "        torch.save(sample.clone(), path)\n",
        "        pass\n",
        "return only what was written",
    ),
    Bad(
        "a picture of floats",
        "modality/preview",
        ".byte().reshape(1, -1, 4)",
        ".reshape(1, -1, 4)",
        "make it uint8 (C, H, W)",
    ),
    Bad(
        "draws only beside real samples",
        "modality/no-reference",
        "    return Preview(",
        "    samples = samples + 0 * reference.real[0]\n    return Preview(",
        "where reference has no rows",
    ),
    Bad(
        "reads another piece",
        "modality/stream",
        "self.sample[start : start + count]",
        "self.sample[:count]",
        "read exactly count from start on",
    ),
    Bad(
        "refuses the format that its source has",
        "modality/stream",
        '        if self.chunks:\n            raise ValueError("expected too late")',
        '        raise ValueError("expected never")',
        "expected never",
    ),
    # -- constraints, objectives, optimizers --------------------------------------------------------------------------
    Bad(
        "a constraint of another name",
        "constraint/class",
        'ConstraintPart(name="kit-hill"',
        'ConstraintPart(name="kit-mound"',
        "give both the same",
    ),
    Bad(
        "a penalty that knows the shape",
        "constraint/penalty",
        _PENALTY,
        "        x = interpolate(real, fake, rng).requires_grad_()\n"
        "        (slope,) = torch.autograd.grad(critic(x, **condition).sum(), x, create_graph=True)\n"
        "        norms = slope.norm(dim=1)\n",
        "one norm a sample",
    ),
    Bad(
        "a penalty without a gradient",
        "constraint/penalty",
        _PENALTY,
        _PENALTY + "        norms = norms.detach()\n",
        "detach nothing",
    ),
    Bad(
        "a constraint that fails at work",
        "constraint/trains",
        _PENALTY,
        _PENALTY + "        condition['label']\n",
        "wganx.Trainer(generator, critic, ...)",
    ),
    Bad(
        "an objective of the wrong sign",
        "objective/losses",
        "fake_scores.mean() - real_scores.mean()",
        "real_scores.mean() - fake_scores.mean()",
        "turn its sign around",
    ),
    Bad(
        "an objective that is a vector",
        "objective/losses",
        "        return -fake_scores.mean()",
        "        return -fake_scores",
        "return a finite scalar",
    ),
    Bad("an optimizer that is none", "optimizer/class", "build=Slow", "build=Hill", "is no subclass of"),
    Bad(
        "an optimizer that moves nothing",
        "optimizer/trains",
        "class Slow(Optimizer):\n    pass",
        "class Slow(Optimizer):\n    def build(self, parameters, lr, capturable=False):\n"
        "        made = torch.optim.SGD(list(parameters), lr=lr)\n        made.step = lambda closure=None: None\n"
        "        return made",
        "let its update change the weights",
    ),
    # -- health checks, commands, observers ---------------------------------------------------------------------------
    Bad(
        "a health check that says True",
        "health-check/speaks",
        'return "all values are alike" if spread < 1e-6 else None',
        "return spread > 0",
        "return one sentence that says what is wrong, or None",
    ),
    Bad(
        "a health check that needs a number",
        "health-check/speaks",
        _DULL,
        "    vitals.scalars['heldout']\n" + _DULL,
        "return None where it cannot tell",
    ),
    Bad(
        "a health check that writes",
        "health-check/untouched",
        _DULL,
        "    vitals.fake.zero_()\n" + _DULL,
        "work on a copy",
    ),
    Bad("a code that is taken", "health-check/code", "BI001", "WX030", "choose letters of your own"),
    Bad("a command without help", "command/help", '    """Say hello."""\n', "", "give the function a docstring"),
    Bad(
        "an observer that needs a number",
        "observer/events",
        '        file.write(f"{step}\\n")',
        '        file.write(scalars["fid"])',
        "config.get(...), scalars.get(...)",
    ),
    Bad(
        "an observer that draws",
        "observer/streams",
        "    with (Path(run.folder)",
        "    torch.rand(1)\n    with (Path(run.folder)",
        "draw from a generator of your own",
    ),
    # -- scenarios ----------------------------------------------------------------------------------------------------
    Bad(
        "an option that is not there",
        "scenario/valid",
        '"critic": {"name": "small"}',
        '"critic": {"name": "small", "width": 3}',
        "options that they have",
    ),
    Bad(
        "a training that fails",
        "scenario/trains",
        ".square().mean()}",
        ".square().mean() + {}[step]}",
        "wganx train --plugin",
    ),
    Bad(
        "a training that forgets",
        "scenario/resumes",
        _REAL,
        "        self.turn = getattr(self, 'turn', 0) + training\n" + _REAL + "        real = real * 0.9**self.turn\n",
        "keep state in buffers",
    ),
    Bad(
        "drawings that differ",
        "scenario/draws",
        "made = self.hidden(",
        "made = (0 if self.training else __import__('time').time() % 1) + self.hidden(",
        "draw nothing in evaluation mode",
    ),
]


def table() -> str:
    """The bad plugins as a table of Markdown."""
    rows = [f"| {bad.what} | `{bad.check}` | {bad.says} |" for bad in BAD]
    return "\n".join(["| a plugin that | is caught by | and told |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(table(), end="")
