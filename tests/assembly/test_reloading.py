"""Another plan for a real engine over sessions in memory, from what a test says that the files say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from orchestra.assembly.launch import Launch
from orchestra.assembly.reading import Reading, Wish
from orchestra.assembly.reloading import Reloading, concerned, reload_and_say
from orchestra.assembly.running import Identity, Running
from orchestra.diagnostics import Code
from orchestra.engine import Engine
from orchestra.lab.kind import LabKind
from orchestra.model.events import Event, Reloaded
from orchestra.model.plan import Alternative, Plan
from orchestra.planning.disclosure import Disclosure
from orchestra.session.errors import OpenFailed
from tests.engine import plans
from tests.engine.plans import chain, listen, plan, session, tunnel
from tests.engine.rig import Rig

ONE = plan(chain("edge"), tunnel("desk", "edge"))
TWO = plan(chain("edge"), tunnel("desk", "edge"), tunnel("wiki", "edge", entry=listen("127.0.0.1", port=5921)))
OTHER_WAY = plan((session("west"),), tunnel("desk", "west"))


class Scene:
    """``says`` is what the files say next."""

    def __init__(self) -> None:
        self.rig = Rig(ONE)
        self.plugins = plans.plugins(self.rig.transport)
        self.says = Reading(launch=self.launch(ONE))
        self.wishes: list[Wish] = []
        self.events: list[Event] = []
        topology = plans.topology("edge", "west")
        self.running = Running(
            Identity(name="office", topology="office", file="office.yaml"),
            ONE,
            lambda tell: Engine(ONE, topology, here=self.rig.here, plugins=self.plugins, observe=tell),
            observers=(self.events.append,),
        )
        self.reloading = Reloading(self.running, self.running.engine, self.launch(ONE), self._read, None)
        self.running.reloading = self.reloading

    def launch(self, of: Plan, **more: Any) -> Launch:
        return Launch(name="office", plan=of, topology=plans.topology("edge", "west"), **more)

    def _read(self, wish: Wish) -> Reading:
        self.wishes.append(wish)
        return self.says

    def tunnels(self) -> dict[str, str]:
        return {each.name: each.state for each in self.running.status().tunnels}


def on_scene(test: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        scene = Scene()
        await scene.rig.serve_target()
        async with scene.running as running:
            assert (await running.wait_ready()).ready
            async with asyncio.timeout(20):
                await test(scene)

    asyncio.run(main())


def test_what_differs_is_applied_and_told() -> None:
    async def test(scene: Scene) -> None:
        scene.says = Reading(launch=scene.launch(TWO), said="a warning")
        answer = await scene.running.reload({})
        assert (answer["code"], answer["applied"], answer["failures"], answer["late"]) == (0, True, [], False)
        assert [c["action"] for c in answer["changes"]] == ["keep", "keep", "add"]
        assert scene.tunnels() == {"desk": "ready", "wiki": "ready"}
        (told,) = [event for event in scene.events if isinstance(event, Reloaded)]
        assert (told.added, told.kept, told.lines) == (
            1,
            2,
            ("+ tunnel wiki: 127.0.0.1:5921 → laptop dials 10.20.0.30:5900",),
        )
        assert scene.running.plan.tunnels == TWO.tunnels

    on_scene(test)


def test_what_was_shown_is_what_is_applied_and_only_once() -> None:
    async def test(scene: Scene) -> None:
        scene.says = Reading(launch=scene.launch(TWO, disclosures=(Disclosure(deed="runs", what="x", why="y"),)))
        shown = await scene.running.reload({"dry": True})
        assert (shown["applied"], shown["disclosures"]) == (False, [{"deed": "runs", "what": "x", "why": "y"}])
        assert scene.tunnels() == {"desk": "ready"}
        scene.says = Reading(launch=None, code=2, said="broken by now")
        assert (await scene.running.reload({"proposal": shown["proposal"]}))["applied"]
        again = await scene.running.reload({"proposal": shown["proposal"]})
        assert (again["code"], again["said"]) == (1, "error: it has changed meanwhile, and nothing was done: try again")
        assert scene.tunnels() == {"desk": "ready", "wiki": "ready"}

    on_scene(test)


def test_what_cannot_be_read_or_is_another_thing_changes_nothing() -> None:
    async def test(scene: Scene) -> None:
        for says, code, said in (
            (Reading(launch=None, code=3, said="no way"), 3, "no way"),
            (Reading(launch=scene.launch(replace(ONE, topology="other"))), 2, "the file is named other now"),
            (Reading(launch=scene.launch(replace(ONE, client="desktop"))), 2, "here would be desktop now"),
            (
                Reading(launch=scene.launch(ONE, lab=LabKind.EMBEDDED)),
                2,
                "it runs without a lab, and is to run in the lab",
            ),
        ):
            scene.says = says
            answer = await scene.running.reload({})
            assert (answer["code"], answer["applied"]) == (code, False)
            assert answer["said"].removeprefix("error: ").startswith(said)
        assert scene.tunnels() == {"desk": "ready"}

    on_scene(test)


def test_what_fails_is_named_and_what_was_goes_on() -> None:
    async def test(scene: Scene) -> None:
        scene.rig.network.refused_opens["west"] = OpenFailed(Code.AUTH_FAILED, "west does not let ci in", host="west")
        scene.says = Reading(launch=scene.launch(OTHER_WAY))
        answer = await scene.running.reload({})
        (failure,) = answer["failures"]
        assert (failure["name"], failure["code"], failure["stays"]) == ("desk", "AUTH_FAILED", True)
        assert scene.tunnels() == {"desk": "ready"}
        scene.rig.network.refused_opens.clear()
        assert scene.running.reconnect("desk") == {"sessions": ["west"], "refused": None}
        await scene.running.until(lambda _: not scene.running.engine.coming())
        assert (await scene.running.wait_ready()).ready

    on_scene(test)


def test_it_is_settled_when_all_is_as_planned_or_something_is_in_the_way() -> None:
    async def test(scene: Scene) -> None:
        await scene.running.until_settled()
        scene.rig.network.refused_opens["west"] = OpenFailed(Code.CONNECT_REFUSED, "refused", host="west")
        scene.says = Reading(launch=scene.launch(OTHER_WAY))
        reload = asyncio.create_task(scene.running.reload({}))
        while not scene.wishes or not scene.running.engine.coming():  # noqa: ASYNC110 - nobody tells of its beginning
            await asyncio.sleep(0)
        assert list(scene.running.engine.coming().values()) == [None]
        await scene.running.until_settled()
        (error,) = scene.running.engine.coming().values()
        assert error is not None
        assert error.code == "CONNECT_REFUSED"
        reload.cancel()

    on_scene(test)


def test_what_takes_too_long_is_late() -> None:
    async def test(scene: Scene) -> None:
        scene.rig.network.refused_opens["west"] = OpenFailed(Code.CONNECT_REFUSED, "refused", host="west")
        scene.says = Reading(launch=scene.launch(OTHER_WAY))
        answer = await scene.running.reload({"timeout": 0.05})
        assert (answer["late"], answer["failures"][0]["code"]) == (True, "CONNECT_REFUSED")

    on_scene(test)


def test_what_is_added_and_what_was_asked_for_is_remembered() -> None:
    async def test(scene: Scene) -> None:
        scene.says = Reading(launch=scene.launch(TWO))
        assert (await scene.running.reload({"add": {"wiki": "yaml"}, "options": {"a": 1}}))["code"] == 0
        assert scene.reloading.added == {"wiki"}
        await scene.running.reload({"colour": True, "quiet": True, "verbosity": 2})
        assert scene.wishes[-1] == Wish(
            options={"a": 1}, additions={"wiki": "yaml"}, colour=True, quiet=True, verbosity=2
        )
        taken = await scene.running.reload({"add": {"desk": "yaml"}})
        assert taken["said"].startswith("error: a tunnel named desk runs already")
        scene.says = Reading(launch=scene.launch(ONE))
        assert (await scene.running.reload({"remove": "wiki"}))["code"] == 0
        assert (scene.reloading.added, scene.wishes[-1].without) == (frozenset(), "wiki")
        gone = await scene.running.reload({"remove": "wiki"})
        assert (gone["code"], gone["said"]) == (2, "error: no tunnel named wiki runs: there are desk")

    on_scene(test)


def test_a_signal_has_words_for_the_log_only_when_something_is_wrong() -> None:
    async def test(scene: Scene) -> None:
        assert await reload_and_say(scene.running) == ""
        scene.says = Reading(launch=None, code=2, said="it is broken")
        assert await reload_and_say(scene.running) == "it is broken\nnot reloaded: nothing was changed"
        scene.running.leave(None)
        assert await reload_and_say(scene.running) == (
            "error: office is being taken down\nnot reloaded: nothing was changed"
        )

    on_scene(test)


def test_changes_come_one_after_the_other() -> None:
    async def test(scene: Scene) -> None:
        scene.says = Reading(launch=scene.launch(TWO))
        first, second = await asyncio.gather(scene.running.reload({}), scene.running.reload({}))
        assert [c["action"] for c in first["changes"]] == ["keep", "keep", "add"]
        assert [c["action"] for c in second["changes"]] == ["keep", "keep", "keep"]

    on_scene(test)


def test_whom_a_name_means() -> None:
    spare = Alternative(path=("laptop", "west"), sessions=("west",))
    whole = plan(
        (*chain("edge", "gateway"), session("west")),
        replace(tunnel("desk", "edge"), alternatives=(spare,)),
        tunnel("far", "edge", "gateway"),
    )
    assert concerned(whole, None) == (["edge", "gateway", "west"], ["desk", "far"])
    assert concerned(whole, "desk") == (["edge", "west"], ["desk"])
    assert concerned(whole, "gateway") == (["gateway"], ["far"])
    assert concerned(whole, "nobody") == ([], [])
