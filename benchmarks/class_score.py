"""The inception-style score of 1,000 samples of a run, read by an independent classifier, beside that of real pictures.

The classifier never sees the generator: it is trained on the dataset's real training split.

Run: wganx train --plugin image --out runs/digits && python benchmarks/class_score.py runs/digits
"""

from __future__ import annotations

import argparse

import torch

import wganx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    arguments = parser.parse_args()
    run = wganx.load_run(arguments.run)
    assembly, chosen = run.assembly, run.resolved.metrics["class-score"]
    generated = run.sample(arguments.n, seed=arguments.seed)
    batches = [next(assembly.stream).real for _ in range(-(-arguments.n // run.resolved.run.train.batch_size))]
    real = torch.cat(batches)[: arguments.n]
    print(f"step {run.step_of('last')}, n {arguments.n}, seed {arguments.seed}, torch {torch.__version__}\n")
    print("| samples | class score | least class share | classifier accuracy (held out) |")
    print("|---|---|---|---|")
    for name, batch in (("generated", wganx.Batch(generated)), ("real, training split", wganx.Batch(real))):
        found = assembly.evaluator.measure(chosen, wganx.Sides(batch, batch, batch))
        print(
            f"| {name} | {found['class_score']:.2f} | {found['least_class_share']:.3f} "
            f"| {found['classifier_accuracy']:.4f} |"
        )


if __name__ == "__main__":
    main()
