"""What lines the road: houses, gardens, trees, and what stands on the pavement."""

import numpy as np

from habn.scenes.buildings import WALLS, Building
from habn.scenes.furniture import Fence, Pole, Sign, TrafficLight, Wall
from habn.scenes.plan import FAR, Plan, Thing, draw_seed
from habn.scenes.plants import Hedge, Tree


def build_frontage(rng: np.random.Generator, plan: Plan, side: int) -> list[Thing]:
    """What lines one side of the street, from the camera to its far end: houses, gardens and greens."""
    sign, things, z = 2 * side - 1, [], 3.0
    x = sign * plan.frontage(side)
    high, material = float(rng.uniform(6, 13)), str(rng.choice(list(WALLS)))
    while z < FAR - 8:
        length = float(rng.uniform(6, 14))
        if plan.junction and z < plan.junction[1] and z + length > plan.junction[0]:
            things += (
                _lot(rng, plan, side, x, z, plan.junction[0], high, material) if plan.junction[0] - z > 2.5 else []
            )
            z = plan.junction[1] + 0.5
            continue
        things += _lot(rng, plan, side, x, z, z + length, high, material)
        z += length
        if rng.random() < 0.35:
            high, material = float(rng.uniform(6, 14)), str(rng.choice(list(WALLS)))
    return things


def _lot(
    rng: np.random.Generator, plan: Plan, side: int, x: float, z0: float, z1: float, high: float, material: str
) -> list[Thing]:
    """One property along the pavement: a house, a house behind a front garden, or trees behind a fence or hedge."""
    sign = 2 * side - 1
    set_back = float(rng.uniform(2.5, 6)) if rng.random() < 0.25 + 0.4 * plan.greenness else 0.0
    green = rng.random() < plan.greenness * 0.75
    things: list[Thing] = []
    if green or set_back:
        things.append(_border(rng, plan, x, z0, z1))
    if green:
        for _ in range(int(rng.integers(1, 4)) if z0 < 60 else 1):
            things.append(_tree(rng, plan, x + sign * float(rng.uniform(2, 9)), float(rng.uniform(z0, z1))))
        things.append(
            Hedge(
                x=x + sign * 11,
                z0=z0,
                z1=z1,
                height=float(rng.uniform(2.5, 4.5)),
                colour=int(rng.integers(4)),
                seed=draw_seed(rng),
            )
        )
        return things
    eaves = max(high + float(rng.normal(0, 0.8)), 4.5)
    ridge = float(rng.uniform(1.8, 3.2)) if rng.random() < 0.55 else 0.0
    house = Building(
        x=x + sign * set_back,
        side=sign,
        depth=float(rng.uniform(8, 11)),
        z0=z0,
        z1=z1,
        eaves=eaves,
        ridge=ridge,
        material=material,
        seed=draw_seed(rng),
        shaded_below=plan.shade_line[side],
    )
    return [house, *things]


def _border(rng: np.random.Generator, plan: Plan, x: float, z0: float, z1: float) -> Thing:
    """A property's edge towards the pavement."""
    z0 = max(z0, 3.0)
    draw, height = rng.random(), float(rng.uniform(0.9, 1.7))
    if draw < 0.25:
        return Hedge(x=x, z0=z0, z1=z1, height=height, colour=int(rng.integers(4)), seed=draw_seed(rng))
    if draw < 0.5:
        return Wall(x=x, z0=z0, z1=z1, height=height, colour=np.array(WALLS["brick"][rng.integers(5)]))
    kind = str(rng.choice(["railing", "mesh", "boards"]))
    return Fence(x0=x, z0=z0, x1=x, z1=z1, height=height, kind=kind, colour=_fence_colour(rng, kind))


def _fence_colour(rng: np.random.Generator, kind: str) -> np.ndarray:
    if kind == "boards":
        return np.array([0.34, 0.25, 0.17]) * rng.uniform(0.7, 1.4)
    return np.array([(0.08, 0.09, 0.09), (0.42, 0.44, 0.44), (0.10, 0.22, 0.16), (0.6, 0.6, 0.58)][rng.integers(4)])


def _tree(rng: np.random.Generator, plan: Plan, x: float, z: float) -> Tree:
    conifer = bool(rng.random() < 0.12)
    leaves = (
        float(rng.uniform(0.55, 1))
        if plan.season < 2 or conifer
        else float(rng.uniform(0.4, 0.8))
        if plan.season == 2
        else 0.12
    )
    colour = int(rng.choice([4, 5, 2])) if plan.season == 2 and not conifer else int(rng.integers(4))
    return Tree(
        x=x,
        z=max(z, 9.0),
        height=float(rng.uniform(5, 11)),
        leaves=leaves,
        conifer=conifer,
        colour=colour,
        seed=draw_seed(rng),
    )


def build_backdrop(rng: np.random.Generator, plan: Plan) -> list[Thing]:
    """Houses and trees across the view where the street ends."""
    things: list[Thing] = []
    x = -80.0
    while x < 80:
        wide = float(rng.uniform(9, 20))
        if rng.random() < 0.35 + 0.5 * plan.greenness:
            things.append(_tree(rng, plan, x + float(rng.uniform(0, wide)), FAR + float(rng.uniform(-4, 4))))
        else:
            material = str(rng.choice(list(WALLS)))
            z = FAR + float(rng.uniform(5, 9))
            things.append(
                Building(
                    x=x,
                    side=1,
                    depth=wide,
                    z0=z,
                    z1=z + 8,
                    eaves=float(rng.uniform(6, 13)),
                    ridge=float(rng.uniform(0, 3)),
                    material=material,
                    seed=draw_seed(rng),
                    shaded_below=0.0,
                )
            )
        x += wide
    for x in np.arange(-96, 100, 16.0):
        things.append(
            Tree(
                x=float(x),
                z=FAR + 30,
                height=float(rng.uniform(12, 20)),
                leaves=0.9,
                conifer=False,
                colour=int(rng.integers(4)),
                seed=draw_seed(rng),
            )
        )
    return things


def build_kerbside(rng: np.random.Generator, plan: Plan) -> list[Thing]:
    """What stands on the pavement near the kerb: lamp posts, signs, traffic lights, bollards, trees, guard rails."""
    things: list[Thing] = []
    for side in (0, 1):
        sign = 2 * side - 1
        kerb = sign * (plan.half_road + 0.45)
        spacing, height = float(rng.uniform(18, 32)), float(rng.uniform(5.5, 9))
        tone = float(rng.choice([0.3, 0.8, 1.2]))
        for z in np.arange(float(rng.uniform(7, 16)), FAR, spacing):
            things.append(
                Pole(
                    x=kerb, z=float(z), height=height, radius=0.085, arm=-sign * float(rng.uniform(0.9, 1.6)), tone=tone
                )
            )
        for _ in range(int(rng.integers(1, 5))):
            kind = str(rng.choice(["circle", "triangle", "diamond", "blue", "board"]))
            size = float(rng.uniform(0.45, 0.8)) if kind == "board" else float(rng.uniform(0.28, 0.42))
            things.append(
                Sign(
                    x=kerb + sign * float(rng.uniform(0, 0.8)),
                    z=float(rng.uniform(8, 40)),
                    height=float(rng.uniform(2.1, 3.0)),
                    size=size,
                    kind=kind,
                    seed=draw_seed(rng),
                )
            )
        if rng.random() < 0.25 + 0.3 * plan.greenness:
            for z in np.arange(float(rng.uniform(9, 18)), 90, float(rng.uniform(9, 16))):
                things.append(_tree(rng, plan, kerb + sign * 0.5, float(z)))
        if rng.random() < 0.4:
            z0 = float(rng.uniform(7, 18))
            z1 = z0 + float(rng.uniform(6, 16))
            things.append(
                Fence(
                    x0=kerb - sign * 0.1,
                    z0=z0,
                    x1=kerb - sign * 0.1,
                    z1=z1,
                    height=1.1,
                    kind="railing",
                    colour=_fence_colour(rng, "railing"),
                )
            )
        if rng.random() < 0.3:
            for z in np.arange(float(rng.uniform(7, 15)), 35, 2.2):
                things.append(Pole(x=kerb, z=float(z), height=0.95, radius=0.07, arm=0.0, tone=0.35))
        if plan.junction or rng.random() < 0.15:
            z = plan.junction[0] - 1.2 if plan.junction else float(rng.uniform(14, 40))
            things.append(TrafficLight(kerb, z, int(rng.choice([0, 0, 1, 2, 2]))))
    return things
