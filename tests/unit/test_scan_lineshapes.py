import random

from ld50.scan.lineshapes import lines_of_one_shape


def test_tables_lists_and_coded_data_have_lines_of_one_shape() -> None:
    table = "\n".join(f"<{i:04d}> <{i + 7:04d}> {i * 3}" for i in range(30))
    words = "\n".join(f"Abd.N{i}\nkitab.PVC{i}" for i in range(12))
    sequence = "\n".join("ACGTTGCA" * 7 for _ in range(20))
    assert all(map(lines_of_one_shape, (table, words, sequence)))


def test_prose_and_noise_have_not() -> None:
    rng = random.Random(0)
    letters = "abcdefghij KLMNOP 0123 .,;:-()[]<>\u00e9\u4e0a"
    noise = "".join(rng.choice(letters) for _ in range(1200))
    broken = "\n".join(noise[i : i + rng.randrange(30, 70)] for i in range(0, 1200, 50))
    prose = "\n".join(
        "".join(
            rng.choice(["hall", "lamp", "old"]) + rng.choice([" ", ", ", ". "]) for _ in range(9)
        )
        for _ in range(20)
    )
    assert not any(map(lines_of_one_shape, (noise, broken, prose, "", "a\nb\nc")))
