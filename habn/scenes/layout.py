"""What stands where: everything random about a scene, chosen in metres before a pixel is painted."""

from dataclasses import dataclass

import numpy as np

from habn.scenes.canvas import Camera, Light
from habn.scenes.ground import WHITE, YELLOW, Ground
from habn.scenes.plan import Plan, Thing, build_plan
from habn.scenes.roadside import build_backdrop, build_frontage, build_kerbside
from habn.scenes.traffic import build_people, build_traffic
from habn.scenes.vehicles import Vehicle


@dataclass(frozen=True)
class Street:
    """A scene in metres: camera, ground, vehicles and all other things, in no order."""

    camera: Camera
    ground: Ground
    vehicles: list[Vehicle]
    others: list[Thing]


def build_street(rng: np.random.Generator, light: Light) -> Street:
    """Choose a street and everybody in it."""
    plan = build_plan(rng, light)
    camera = Camera(
        focal=float(rng.uniform(0.85, 1.15)),
        horizon=float(rng.uniform(0.44, 0.58)),
        x=plan.drives * plan.half_road * float(rng.uniform(0.3, 0.55)),
        height=float(rng.uniform(1.2, 2.0)),
        yaw=float(rng.normal(0, 0.05)),
        bend=float(rng.normal(0, 0.0022)) if rng.random() < 0.6 else 0.0,
    )
    roadside = [*build_frontage(rng, plan, 0), *build_frontage(rng, plan, 1), *build_backdrop(rng, plan)]
    vehicles = build_traffic(rng, plan)
    others = [*roadside, *build_kerbside(rng, plan), *build_people(rng, plan, vehicles)]
    return Street(camera, _build_ground(rng, plan), vehicles, others)


def _build_ground(rng: np.random.Generator, plan: Plan) -> Ground:
    """The road's surface and its paint."""
    z = rng.uniform(6, 45, 4)
    patches = np.stack(
        [rng.uniform(-plan.half_road, plan.half_road - 1, 4), z, rng.uniform(0.6, 1.8, 4), rng.uniform(1.5, 9, 4)], -1
    )
    lane = plan.drives * plan.half_road * 0.42
    arrows = tuple((lane, float(z), 1.0) for z in rng.uniform(10, 30, 2)) if rng.random() < 0.25 else ()
    sides = [] if plan.junction is None else [s for s in (-1, 1) if rng.random() < 0.7] or [1]
    return Ground(
        half_road=plan.half_road,
        pavement=plan.pavement,
        verge=plan.verge,
        yard_is_grass=(bool(rng.random() < plan.greenness), bool(rng.random() < plan.greenness)),
        junctions=tuple((*plan.junction, side) for side in sides) if plan.junction else (),
        crossing=float(rng.uniform(12, 35)) if rng.random() < 0.2 else None,
        lanes=(0.0,) if rng.random() < 0.8 else (),
        dash=float(rng.choice([4.0, 6.0, 9.0])),
        edge_lines=int(rng.choice([0, 0, 1, 2])),
        edge_paint=int(rng.choice([WHITE, YELLOW])),
        asphalt=np.array([0.30, 0.30, 0.31]) * rng.uniform(0.75, 1.4),
        slab=np.array([(0.46, 0.44, 0.41), (0.40, 0.39, 0.38), (0.45, 0.34, 0.28), (0.32, 0.32, 0.32)][rng.integers(4)])
        * rng.uniform(0.85, 1.15),
        slab_size=float(rng.uniform(0.45, 0.8)),
        patches=patches[: rng.integers(5)],
        arrows=arrows,
    )
