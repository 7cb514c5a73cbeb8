import random

from ld50.scan.coherence import Background

WORDS = [f"word{i}" for i in range(800)]


def texts(count: int, seed: int, topic: list[str] | None = None) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join(rng.choices(WORDS, k=30) + (rng.sample(topic, 6) if topic else []))
        for _ in range(count)
    ]


def test_random_rows_are_no_more_alike_than_random_rows() -> None:
    z = [Background(texts(200, seed + 1000)).compare(texts(20, seed)).z for seed in range(20)]
    assert sum(abs(value) < 4 for value in z) >= 19


def test_rows_with_a_topic_are_alike() -> None:
    topic = [f"topic{i}" for i in range(12)]
    assert Background(texts(200, 2)).compare(texts(20, 1, topic)).z > 6


def test_copies_have_a_cosine_of_one() -> None:
    same = texts(1, 3) * 10
    assert Background(texts(100, 4)).compare(same).mean_cosine > 0.99


def test_too_few_texts_say_nothing() -> None:
    assert Background(texts(100, 5)).compare(["a b"]).z == 0
    assert Background([]).compare([]).texts == 0


def test_a_likeness_that_is_no_greater_is_no_surer_in_more_rows_for_groups_of_few() -> None:
    """Rows that share a little are surely alike where there are many; how much alike they are, stays."""
    topic = [f"topic{i}" for i in range(60)]
    background = Background(texts(200, 2))
    few, many = (background.compare(texts(size, 1, topic)) for size in (16, 96))
    assert many.z > 2 * few.z
    assert few.z == few.z_of_few
    assert many.z_of_few < 1.3 * few.z_of_few
