"""The queue of a recalculation, by plain calls."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from models.contracts.revenue import Progress, Recalculate, Recalculated
from workflows.people.recalculation_queue import KEPT, RecalculationQueue

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
BEGUN = Progress(name="Aster", clients=3, today=date(2026, 3, 1))
DONE = replace(BEGUN, seen=3, updated=2)
ALL = Recalculate(patience_s=5)
TOLD = Recalculate()


def some(*company_ids: str, patience: float | None = 5) -> Recalculate:
    return Recalculate(company_ids=company_ids, patience_s=patience)


def worked(queue: RecalculationQueue, number: int) -> None:
    queue.advance(number, DONE)
    queue.end(number, NOW)


def test_all_is_shared_also_when_it_is_under_way():
    queue = RecalculationQueue(None)
    first = queue.join("a", ALL)
    queue.advance(first, BEGUN)
    assert {queue.join("b", ALL), queue.join("c", TOLD)} == {first}


def test_companies_are_shared_only_while_they_wait_in_whatever_order():
    queue = RecalculationQueue(None)
    first = queue.join("a", some("x", "y"))
    assert queue.join("b", some("y", "x", patience=None)) == first
    queue.advance(first, BEGUN)
    assert queue.join("c", some("x", "y")) != first
    assert queue.join("d", some("x")) not in (first, queue.join("e", some("x", "y")))


def test_the_first_that_has_not_ended_is_worked():
    queue = RecalculationQueue(None)
    first, second = queue.join("a", some("x")), queue.join("b", ALL)
    assert queue.current() is not None
    worked(queue, first)
    current = queue.current()
    assert current is not None
    assert current.number == second


def test_there_is_no_result_before_the_end():
    queue = RecalculationQueue(None)
    number = queue.join("a", ALL)
    queue.advance(number, DONE)
    assert queue.result(number) is None
    queue.end(number, NOW)
    assert queue.result(number) == Recalculated(updated=2)


def test_a_caller_finds_its_place_in_the_next_run_by_its_update():
    queue = RecalculationQueue(None)
    queue.join("a", ALL)
    mine = queue.join("b", some("x"))
    queue.advance(mine, BEGUN)
    after = RecalculationQueue(queue.carried())
    assert after.join("b", some("x")) == mine
    assert after.join("c", some("x")) != mine


def test_a_result_is_kept_for_as_many_as_went_without_it():
    queue = RecalculationQueue(None)
    number = queue.join("a", ALL)
    queue.left(number, "a")
    worked(queue, number)
    assert queue.owed_until(NOW) == NOW + KEPT
    assert queue.join("t", TOLD) != number
    assert queue.join("b", ALL) == number
    queue.answered(number, "b")
    assert queue.join("c", ALL) != number


def test_who_comes_back_in_time_is_owed_nothing_more():
    queue = RecalculationQueue(None)
    number = queue.join("a", ALL)
    queue.left(number, "a")
    assert queue.join("b", ALL) == number
    worked(queue, number)
    queue.answered(number, "b")
    assert queue.owed_until(NOW) is None


def test_a_result_is_not_kept_for_ever():
    queue = RecalculationQueue(None)
    number = queue.join("a", ALL)
    queue.left(number, "a")
    worked(queue, number)
    assert queue.owed_until(NOW + KEPT - timedelta(seconds=1)) == NOW + KEPT
    assert queue.owed_until(NOW + KEPT) is None
    assert queue.carried().entries == ()


def test_who_does_not_wait_is_owed_nothing():
    queue = RecalculationQueue(None)
    worked(queue, queue.join("a", TOLD))
    assert queue.owed_until(NOW) is None
