"""What stands where: everything random about a scene, chosen in metres before a pixel is painted."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from habn.data.scenes.buildings import WALLS, Building
from habn.data.scenes.canvas import Camera, Canvas, Light
from habn.data.scenes.furniture import Fence, Pole, Sign, TrafficLight, Wall
from habn.data.scenes.ground import WHITE, YELLOW, Ground
from habn.data.scenes.people import Cyclist, Person
from habn.data.scenes.plants import Hedge, Tree
from habn.data.scenes.vehicles import BODIES, PAINTS, Vehicle

FAR = 125.0  # metres; where the street ends


class Thing(Protocol):
    """What stands on the ground: `z` sorts it, `paint` paints it, `shadow` gives ground polygons that it keeps the sun from."""

    z: float

    def paint(self, canvas: Canvas) -> None: ...

    def shadow(self, canvas: Canvas) -> list[np.ndarray]: ...


@dataclass(frozen=True)
class Street:
    """A scene in metres: camera, ground and things, in no order."""

    camera: Camera
    ground: Ground
    things: list[Thing]


@dataclass(frozen=True)
class _Plan:
    """The street's measures that the things are placed by; `drives` is +1 where traffic keeps right."""

    half_road: float
    kerb_gap: tuple[float, float]
    frontage: tuple[float, float]
    junction: tuple[float, float] | None
    drives: int
    greenness: float
    season: int
    shade_line: tuple[float, float]


def build_street(rng: np.random.Generator, light: Light) -> Street:
    """Choose a street and everybody in it."""
    drives = int(rng.choice([-1, 1]))
    half_road = float(rng.uniform(3.4, 6.2))
    pavement = (float(rng.uniform(1.6, 4.0)), float(rng.uniform(1.6, 4.0)))
    verge = tuple(float(rng.uniform(0.8, 2.5)) if rng.random() < 0.2 else 0.0 for _ in range(2))
    start = float(rng.uniform(16, 45))
    junction = (start, start + float(rng.uniform(6, 9))) if rng.random() < 0.45 else None
    frontage = tuple(half_road + verge[i] + pavement[i] for i in range(2))
    tall = 9.0 / max(float(light.sun_direction[1]), 0.2)
    across = float(light.sun_direction[0])
    street = sum(frontage)
    line = max(9.0 - street / max(tall * abs(across) / 9.0, 0.05), 0.0)
    plan = _Plan(
        half_road,
        tuple(half_road + v for v in verge),
        frontage,
        junction,
        drives,
        float(rng.beta(1.2, 1.8)),
        int(rng.integers(4)),
        (line if across > 0 else 0.0, line if across < 0 else 0.0),
    )
    camera = Camera(
        focal=float(rng.uniform(0.85, 1.15)),
        horizon=float(rng.uniform(0.44, 0.58)),
        x=drives * half_road * float(rng.uniform(0.3, 0.55)),
        height=float(rng.uniform(1.2, 2.0)),
        yaw=float(rng.normal(0, 0.05)),
        bend=float(rng.normal(0, 0.0022)) if rng.random() < 0.6 else 0.0,
    )
    sides = [_frontage(rng, plan, side) for side in (0, 1)]
    things = [*sides[0], *sides[1], *_backdrop(rng, plan), *_kerbside(rng, plan), *_traffic(rng, plan, camera), *_people(rng, plan, camera)]
    return Street(camera, _ground(rng, plan, pavement, verge, light), things)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _frontage(rng: np.random.Generator, plan: _Plan, side: int) -> list[Thing]:
    """What lines one side of the street, from the camera to its far end: houses, gardens and greens."""
    sign, things, z = 2 * side - 1, [], 3.0
    x = sign * plan.frontage[side]
    high, material = float(rng.uniform(6, 13)), str(rng.choice(list(WALLS)))
    while z < FAR - 8:
        length = float(rng.uniform(6, 14))
        if plan.junction and z < plan.junction[1] and z + length > plan.junction[0]:
            things += _lot(rng, plan, side, x, z, plan.junction[0], high, material) if plan.junction[0] - z > 2.5 else []
            z = plan.junction[1] + 0.5
            continue
        things += _lot(rng, plan, side, x, z, z + length, high, material)
        z += length
        if rng.random() < 0.35:
            high, material = float(rng.uniform(6, 14)), str(rng.choice(list(WALLS)))
    return things


def _lot(rng: np.random.Generator, plan: _Plan, side: int, x: float, z0: float, z1: float, high: float, material: str) -> list[Thing]:
    """One property along the pavement: a house, a house behind a front garden, or trees behind a fence or hedge."""
    sign = 2 * side - 1
    set_back = float(rng.uniform(2.5, 6)) if rng.random() < 0.25 + 0.4 * plan.greenness else 0.0
    green = rng.random() < plan.greenness * 0.75
    things: list[Thing] = []
    if green or set_back:
        things.append(_border(rng, plan, x, z0, z1))
    if green:
        for _ in range(int(rng.integers(1, 4))):
            things.append(_tree(rng, plan, x + sign * float(rng.uniform(2, 9)), float(rng.uniform(z0, z1))))
        things.append(Hedge(x + sign * 11, z0, z1, float(rng.uniform(2.5, 4.5)), int(rng.integers(4)), _seed(rng)))
        return things
    eaves = max(high + float(rng.normal(0, 0.8)), 4.5)
    ridge = float(rng.uniform(1.8, 3.2)) if rng.random() < 0.55 else 0.0
    house = Building(x + sign * set_back, sign, float(rng.uniform(8, 11)), z0, z1, eaves, ridge, material, _seed(rng), plan.shade_line[side])
    return [house, *things]


def _border(rng: np.random.Generator, plan: _Plan, x: float, z0: float, z1: float) -> Thing:
    """A property's edge towards the pavement."""
    z0 = max(z0, 3.0)
    draw, height = rng.random(), float(rng.uniform(0.9, 1.7))
    if draw < 0.25:
        return Hedge(x, z0, z1, height, int(rng.integers(4)), _seed(rng))
    if draw < 0.5:
        return Wall(x, z0, z1, height, np.array(WALLS["brick"][rng.integers(5)]))
    kind = str(rng.choice(["railing", "mesh", "boards"]))
    return Fence(x, z0, x, z1, height, kind, _fence_colour(rng, kind))


def _fence_colour(rng: np.random.Generator, kind: str) -> np.ndarray:
    if kind == "boards":
        return np.array([0.34, 0.25, 0.17]) * rng.uniform(0.7, 1.4)
    return np.array([(0.08, 0.09, 0.09), (0.42, 0.44, 0.44), (0.10, 0.22, 0.16), (0.6, 0.6, 0.58)][rng.integers(4)])


def _tree(rng: np.random.Generator, plan: _Plan, x: float, z: float) -> Tree:
    conifer = bool(rng.random() < 0.12)
    leaves = float(rng.uniform(0.55, 1)) if plan.season < 2 or conifer else float(rng.uniform(0.4, 0.8)) if plan.season == 2 else 0.12
    colour = int(rng.choice([4, 5, 2])) if plan.season == 2 and not conifer else int(rng.integers(4))
    return Tree(x, max(z, 9.0), float(rng.uniform(5, 11)), leaves, conifer, colour, _seed(rng))


def _backdrop(rng: np.random.Generator, plan: _Plan) -> list[Thing]:
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
            things.append(Building(x, 1, wide, z, z + 8, float(rng.uniform(6, 13)), float(rng.uniform(0, 3)), material, _seed(rng), 0.0))
        x += wide
    for x in np.arange(-100, 100, 12.0):
        things.append(Tree(float(x), FAR + 30, float(rng.uniform(9, 17)), 0.9, False, int(rng.integers(4)), _seed(rng)))
    return things


def _kerbside(rng: np.random.Generator, plan: _Plan) -> list[Thing]:
    """What stands on the pavement near the kerb: lamp posts, signs, traffic lights, bollards, trees, guard rails."""
    things: list[Thing] = []
    for side in (0, 1):
        sign = 2 * side - 1
        kerb = sign * (plan.half_road + 0.45)
        spacing, height = float(rng.uniform(18, 32)), float(rng.uniform(5.5, 9))
        tone = float(rng.choice([0.3, 0.8, 1.2]))
        for z in np.arange(float(rng.uniform(7, 16)), FAR, spacing):
            things.append(Pole(kerb, float(z), height, 0.085, -sign * float(rng.uniform(0.9, 1.6)), tone))
        for _ in range(int(rng.integers(1, 5))):
            kind = str(rng.choice(["circle", "triangle", "diamond", "blue", "board"]))
            size = float(rng.uniform(0.45, 0.8)) if kind == "board" else float(rng.uniform(0.28, 0.42))
            things.append(Sign(kerb + sign * float(rng.uniform(0, 0.8)), float(rng.uniform(8, 40)), float(rng.uniform(2.1, 3.0)), size, kind, _seed(rng)))
        if rng.random() < 0.25 + 0.3 * plan.greenness:
            for z in np.arange(float(rng.uniform(9, 18)), 90, float(rng.uniform(9, 16))):
                things.append(_tree(rng, plan, kerb + sign * 0.5, float(z)))
        if rng.random() < 0.4:
            z0 = float(rng.uniform(7, 18))
            z1 = z0 + float(rng.uniform(6, 16))
            things.append(Fence(kerb - sign * 0.1, z0, kerb - sign * 0.1, z1, 1.1, "railing", _fence_colour(rng, "railing")))
        if rng.random() < 0.3:
            for z in np.arange(float(rng.uniform(7, 15)), 35, 2.2):
                things.append(Pole(kerb, float(z), 0.95, 0.07, 0.0, 0.35))
        if plan.junction or rng.random() < 0.15:
            z = plan.junction[0] - 1.2 if plan.junction else float(rng.uniform(14, 40))
            things.append(TrafficLight(kerb, z, int(rng.choice([0, 0, 1, 2, 2]))))
    return things


def _vehicle(rng: np.random.Generator, x: float, z: float, heading: float, bodies: list[str]) -> Vehicle:
    return Vehicle(x, z, heading, str(rng.choice(bodies)), int(rng.integers(len(PAINTS))), _seed(rng))


def _traffic(rng: np.random.Generator, plan: _Plan, camera: Camera) -> list[Thing]:
    """Parked cars along the kerbs, cars ahead, cars that come, and one that crosses."""
    cars = ["hatchback", "hatchback", "saloon", "saloon", "suv", "van"]
    things: list[Thing] = []
    for sign in (-1, 1):
        if plan.half_road > 4 and rng.random() < 0.45:
            z = float(rng.uniform(9, 30))
            while z < 80:
                at_junction = plan.junction and plan.junction[0] - 4 < z < plan.junction[1] + 4
                if rng.random() < 0.7 and not at_junction:
                    facing = 0.0 if sign == plan.drives else np.pi
                    things.append(_vehicle(rng, sign * (plan.half_road - 1.05), z, facing + float(rng.normal(0, 0.03)), cars))
                z += float(rng.uniform(5.4, 7))
    lane = plan.drives * plan.half_road * 0.42
    z = float(rng.uniform(9, 40))
    while z < 100:
        if rng.random() < 0.55:
            things.append(_vehicle(rng, lane + float(rng.normal(0, 0.15)), z, float(rng.normal(0, 0.03)), [*cars, "bus"]))
        z += float(rng.uniform(10, 30))
    z = float(rng.uniform(9, 40))
    while z < 100:
        if rng.random() < 0.6:
            things.append(_vehicle(rng, -lane * 0.9, z, np.pi + float(rng.normal(0, 0.04)), [*cars, "bus"]))
        z += float(rng.uniform(9, 30))
    if plan.junction and rng.random() < 0.5:
        z = sum(plan.junction) / 2
        things.append(_vehicle(rng, float(rng.uniform(-9, 9)), z, float(rng.choice([-1, 1])) * np.pi / 2 + float(rng.normal(0, 0.15)), cars))
    return _without_collisions(things, plan)


def _without_collisions(vehicles: list[Thing], plan: _Plan) -> list[Thing]:
    kept: list[Thing] = []
    for one in vehicles:
        length = BODIES[one.body][1][1]
        if one.z - length < 4.5:
            continue
        clear = all(abs(one.x - other.x) > 2.1 or abs(one.z - other.z) > length + BODIES[other.body][1][1] + 0.8 for other in kept)
        if clear:
            kept.append(one)
    return kept


def _people(rng: np.random.Generator, plan: _Plan, camera: Camera) -> list[Thing]:
    """Walkers on both pavements, singly or in pairs, perhaps one crossing, and cyclists near the kerb."""
    things: list[Thing] = []
    for side in (0, 1):
        sign = 2 * side - 1
        for _ in range(int(rng.integers(1, 6))):
            x = sign * float(rng.uniform(plan.kerb_gap[side] + 0.6, plan.frontage[side] - 0.3))
            z, aside = float(rng.uniform(7.5, 45)), float(rng.uniform(0.1, 1))
            for mate in range(1 + int(rng.random() < 0.3)):
                things.append(Person(x + 0.65 * mate, z + 0.3 * mate, float(rng.uniform(1.5, 1.9)), float(rng.uniform(-1, 1)), aside, _seed(rng)))
    if rng.random() < 0.3:
        x, z = float(rng.uniform(-1, 1)) * plan.half_road, float(rng.uniform(12, 30))
        things.append(Person(x, z, float(rng.uniform(1.55, 1.9)), float(rng.choice([-1, 1])), 1.0, _seed(rng)))
    for _ in range(int(rng.choice([0, 1, 1, 2]))):
        sign = int(rng.choice([-1, 1]))
        aside = float(rng.choice([-1, 1]) * (rng.uniform(0.06, 0.3) if rng.random() < 0.65 else rng.uniform(0.7, 1)))
        x = sign * (plan.half_road - float(rng.uniform(0.5, 2.4)))
        things.append(Cyclist(x, float(rng.uniform(7, 26)), aside, _seed(rng)))
    return things


def _ground(rng: np.random.Generator, plan: _Plan, pavement: tuple, verge: tuple, light: Light) -> Ground:
    """The road's surface and its paint."""
    z = rng.uniform(6, 45, 4)
    patches = np.stack([rng.uniform(-plan.half_road, plan.half_road - 1, 4), z, rng.uniform(0.6, 1.8, 4), rng.uniform(1.5, 9, 4)], -1)
    lane = plan.drives * plan.half_road * 0.42
    arrows = tuple((lane, float(z), 1.0) for z in rng.uniform(10, 30, 2)) if rng.random() < 0.25 else ()
    sides = [] if plan.junction is None else [s for s in (-1, 1) if rng.random() < 0.7] or [1]
    return Ground(
        half_road=plan.half_road,
        pavement=pavement,
        verge=verge,
        yard_is_grass=(bool(rng.random() < plan.greenness), bool(rng.random() < plan.greenness)),
        junctions=tuple((*plan.junction, side) for side in sides) if plan.junction else (),
        crossing=float(rng.uniform(12, 35)) if rng.random() < 0.2 else None,
        lanes=(0.0,) if rng.random() < 0.8 else (),
        dash=float(rng.choice([4.0, 6.0, 9.0])),
        edge_lines=int(rng.choice([0, 0, 1, 2])),
        edge_paint=int(rng.choice([WHITE, YELLOW])),
        asphalt=np.array([0.30, 0.30, 0.31]) * rng.uniform(0.75, 1.4),
        slab=np.array([(0.46, 0.44, 0.41), (0.40, 0.39, 0.38), (0.45, 0.34, 0.28), (0.32, 0.32, 0.32)][rng.integers(4)]) * rng.uniform(0.85, 1.15),
        slab_size=float(rng.uniform(0.45, 0.8)),
        patches=patches[: rng.integers(5)],
        arrows=arrows,
    )
