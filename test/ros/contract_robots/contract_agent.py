"""A program that flies a contract and ends: ``contract_agent.py WAY FILE NAMESPACE``; it says "flying" when it does."""

import sys

import gymnasium
import numpy as np

import rtgym_ros  # noqa: F401


def main():
    way, file, namespace = sys.argv[1:]
    env = gymnasium.make("rtgym_ros/Contract-v0", contract=file, namespace=namespace, disable_env_checker=True)
    env.reset()
    for time_step in range(10**6):
        env.step(np.full(3, 0.75, np.float32))
        if time_step == 20:
            print("flying", flush=True)
        if time_step == 30 and way not in ("sigint", "sigterm"):
            break
    if way == "close":
        env.close()
    elif way == "exception":
        raise ZeroDivisionError("a mistake of the user's")
    elif way == "sys_exit":
        sys.exit(3)
    return env  # so that nothing has closed it when the program ends


if __name__ == "__main__":
    kept = main()
