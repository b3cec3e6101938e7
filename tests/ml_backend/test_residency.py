"""What stays in memory and what leaves: with pretended models and a pretended memory."""

import threading

import pytest

from ml_backend.pipelines.diffusion.residency import Residency, memory_of


class Computer:
    """100 bytes of memory, of which models take some."""

    def __init__(self):
        self.taken = {}

    def memory(self, device):
        return 100 - sum(size for place, size in self.taken.values() if place == device), 100

    def loader(self, name, size, device="cpu"):
        def load():
            assert self.memory(device)[0] >= size, "no room was made"
            self.taken[name] = (device, size)
            return Model(self, name)

        return load


class Model:
    def __init__(self, computer, name):
        self.computer, self.name = computer, name

    def release(self):
        del self.computer.taken[self.name]


@pytest.fixture
def computer():
    return Computer()


@pytest.fixture
def residency(computer):
    return Residency(computer.memory)


def use(residency, computer, name, size, device="cpu"):
    with residency.use(name, device, size, computer.loader(name, size, device)) as model:
        assert model.name == name
        return model


def test_a_model_is_loaded_once(residency, computer):
    assert use(residency, computer, "a", 30) is use(residency, computer, "a", 30)


def test_the_longest_unused_leaves_first(residency, computer):
    for name in ("a", "b", "a", "c"):
        use(residency, computer, name, 40)
    assert residency.keys() == ("a", "c")
    assert set(computer.taken) == {"a", "c"}


def test_nothing_leaves_while_there_is_room(residency, computer):
    for name in ("a", "b", "c"):
        use(residency, computer, name, 30)
    assert residency.keys() == ("a", "b", "c")


def test_a_reserve_is_left_for_the_work(residency, computer):
    for name in ("a", "b"):
        use(residency, computer, name, 46)
    assert residency.keys() == ("b",)


def test_a_model_in_use_stays(residency, computer):
    with residency.use("a", "cpu", 30, computer.loader("a", 30)):
        use(residency, computer, "b", 30)
        use(residency, computer, "c", 40)
        assert "a" in computer.taken
        assert "b" not in computer.taken


def test_devices_do_not_make_room_for_one_another(residency, computer):
    use(residency, computer, "a", 80, "cuda:0")
    use(residency, computer, "b", 80)
    use(residency, computer, "c", 80)
    assert set(computer.taken) == {"a", "c"}


def test_one_that_cannot_be_loaded_leaves_no_trace_and_is_tried_again(residency, computer):
    def broken():
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"), residency.use("a", "cpu", 10, broken):
        pass
    assert residency.keys() == ()
    use(residency, computer, "a", 10)
    assert residency.keys() == ("a",)


def test_one_thread_at_a_time_uses_a_model_and_others_go_on(residency, computer):
    order, held, wanted = [], threading.Event(), threading.Event()

    def first():
        with residency.use("a", "cpu", 10, computer.loader("a", 10)):
            held.set()
            wanted.wait(10)
            order.append("first done")

    def second():
        with residency.use("a", "cpu", 10, computer.loader("a", 10)):
            order.append("second begins")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert held.wait(10)
    threads[1].start()
    use(residency, computer, "b", 10)
    order.append("another works")
    wanted.set()
    for thread in threads:
        thread.join(10)
    assert order == ["another works", "first done", "second begins"]


def test_clear_puts_everything_idle_away(residency, computer):
    with residency.use("a", "cpu", 10, computer.loader("a", 10)):
        use(residency, computer, "b", 10)
        residency.clear()
        assert residency.keys() == ("a",)


def test_the_memory_of_this_machine():
    free, total = memory_of("cpu")
    assert 0 < free <= total
