"""A person's requests as services of the actor node."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from actor_ros.operator_requests import OperatorRequests
from steadyhand.actor.supervision.motion_enable import MotionEnable, Verdict
from steadyhand.robot_envs.safety.stop_reason import StopReason

__all__ = ["serve_requests"]

VERDICTS: tuple[Verdict, ...] = ("success", "failure", "reset")


def serve_requests(node: Node, requests: OperatorRequests, motion: MotionEnable) -> None:
    """Create the services of a node; a request that takes its time does not keep the node's callbacks waiting."""
    group = ReentrantCallbackGroup()

    def serve(
        name: str, service_type: Any, answer: Callable[[Any], str], later: Callable[[Any, int], str] | None = None
    ) -> None:
        """Answer with success if `answer`, and then `later`, which may be slow, return no objection.

        `later` also gets the count `disables` of the motion enable at the time of the request.
        """

        def at_once(request: Any, response: Any) -> Any:
            return _filled(response, answer(request))

        async def in_time(request: Any, response: Any) -> Any:
            since, reason = motion.disables, answer(request)
            if later is not None and not reason:
                reason = await _awaited(node, requests, partial(later, request, since))
            return _filled(response, reason)

        callback = at_once if later is None else in_time
        node.create_service(service_type, f"actor/{name}", callback, callback_group=group)

    def forbid(request: Any) -> str:
        return requests.forbid(StopReason.NOT_ENABLED)

    serve(
        "enable",
        SetBool,
        lambda request: "" if request.data else forbid(request),
        lambda request, since: requests.enable(since) if request.data else "",
    )
    serve("recover", Trigger, forbid, lambda *_: requests.recover())
    serve("stop", Trigger, lambda _: requests.forbid(StopReason.PERSON_STOP))
    serve("park", Trigger, lambda _: requests.park())
    for verdict in VERDICTS:
        serve(verdict, Trigger, partial(_judge, requests, verdict))


def _judge(requests: OperatorRequests, verdict: Verdict, request: Any) -> str:
    return requests.judge(verdict)


def _awaited(node: Node, requests: OperatorRequests, request: Callable[[], str]) -> Any:
    """Return an awaitable of rclpy for the answer of a slow request."""
    future = Future(executor=node.executor)

    def answer(done: concurrent.futures.Future[str]) -> None:
        if not done.cancelled():
            future.set_result(done.result())

    requests.at_the_desk(request).add_done_callback(answer)
    return future


def _filled(response: Any, objection: str) -> Any:
    response.success, response.message = not objection, objection
    return response
