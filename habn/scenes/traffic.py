"""Who uses the street: vehicles, walkers and cyclists."""

import numpy as np

from habn.scenes.people import Cyclist, Person
from habn.scenes.plan import Plan, Thing, draw_seed
from habn.scenes.vehicles import BODIES, PAINTS, Vehicle


def _vehicle(rng: np.random.Generator, x: float, z: float, heading: float, bodies: list[str]) -> Vehicle:
    return Vehicle(
        x=x,
        z=z,
        heading=heading,
        body=str(rng.choice(bodies)),
        paint_index=int(rng.integers(len(PAINTS))),
        seed=draw_seed(rng),
    )


def build_traffic(rng: np.random.Generator, plan: Plan) -> list[Vehicle]:
    """Parked cars along the kerbs, cars ahead, cars that come, and one that crosses."""
    cars = ["hatchback", "hatchback", "saloon", "saloon", "suv", "van"]
    things: list[Vehicle] = []
    for sign in (-1, 1):
        if plan.half_road > 4 and rng.random() < 0.45:
            z = float(rng.uniform(9, 30))
            while z < 80:
                at_junction = plan.junction and plan.junction[0] - 4 < z < plan.junction[1] + 4
                if rng.random() < 0.7 and not at_junction:
                    facing = 0.0 if sign == plan.drives else np.pi
                    things.append(
                        _vehicle(rng, sign * (plan.half_road - 1.05), z, facing + float(rng.normal(0, 0.03)), cars)
                    )
                z += float(rng.uniform(5.4, 7))
    lane = plan.drives * plan.half_road * 0.42
    z = float(rng.uniform(9, 40))
    while z < 100:
        if rng.random() < 0.55:
            things.append(
                _vehicle(rng, lane + float(rng.normal(0, 0.15)), z, float(rng.normal(0, 0.03)), [*cars, "bus"])
            )
        z += float(rng.uniform(10, 30))
    z = float(rng.uniform(9, 40))
    while z < 100:
        if rng.random() < 0.6:
            things.append(_vehicle(rng, -lane * 0.9, z, np.pi + float(rng.normal(0, 0.04)), [*cars, "bus"]))
        z += float(rng.uniform(9, 30))
    if plan.junction and rng.random() < 0.5:
        z = sum(plan.junction) / 2
        things.append(
            _vehicle(
                rng,
                float(rng.uniform(-9, 9)),
                z,
                float(rng.choice([-1, 1])) * np.pi / 2 + float(rng.normal(0, 0.15)),
                cars,
            )
        )
    return _without_collisions(things)


def _without_collisions(vehicles: list[Vehicle]) -> list[Vehicle]:
    kept: list[Vehicle] = []
    for one in vehicles:
        length = BODIES[one.body][1][1]
        if one.z - length < 4.5:
            continue
        clear = all(
            abs(one.x - other.x) > 2.1 or abs(one.z - other.z) > length + BODIES[other.body][1][1] + 0.8
            for other in kept
        )
        if clear:
            kept.append(one)
    return kept


def build_people(rng: np.random.Generator, plan: Plan, vehicles: list[Vehicle]) -> list[Thing]:
    """Walkers on both pavements, singly or in pairs, perhaps one crossing, and cyclists near the kerb."""
    things: list[Person | Cyclist] = []
    for side in (0, 1):
        sign = 2 * side - 1
        for _ in range(int(rng.integers(1, 6))):
            x = sign * float(rng.uniform(plan.kerb(side) + 0.6, plan.frontage(side) - 0.3))
            z, aside = float(rng.uniform(7.5, 45)), float(rng.uniform(0.1, 1))
            for mate in range(1 + int(rng.random() < 0.3)):
                things.append(
                    Person(
                        x=x + 0.65 * mate,
                        z=z + 0.3 * mate,
                        height=float(rng.uniform(1.5, 1.9)),
                        stride=float(rng.uniform(-1, 1)),
                        aside=aside,
                        seed=draw_seed(rng),
                    )
                )
    if rng.random() < 0.3:
        x, z = float(rng.uniform(-1, 1)) * plan.half_road, float(rng.uniform(12, 30))
        things.append(
            Person(
                x=x,
                z=z,
                height=float(rng.uniform(1.55, 1.9)),
                stride=float(rng.choice([-1, 1])),
                aside=1.0,
                seed=draw_seed(rng),
            )
        )
    for _ in range(int(rng.choice([0, 1, 1, 2]))):
        sign = int(rng.choice([-1, 1]))
        aside = float(rng.choice([-1, 1]) * (rng.uniform(0.04, 0.16) if rng.random() < 0.65 else rng.uniform(0.7, 1)))
        x = sign * (plan.half_road - float(rng.uniform(0.5, 2.4)))
        things.append(Cyclist(x, float(rng.uniform(7, 26)), aside, draw_seed(rng)))
    return [one for one in things if not any(_touches(one, vehicle) for vehicle in vehicles)]


def _touches(one: Person | Cyclist, vehicle: Vehicle) -> bool:
    corners = vehicle.footprint(0.5)
    return bool((corners.min(0)[[0, 2]] < (one.x, one.z)).all() and (corners.max(0)[[0, 2]] > (one.x, one.z)).all())
