"""An agent that flies through the facade until it is ended: ``facade_agent.py FILE NODE``; it says "flying"."""

import sys

import gymnasium
import numpy as np

import rtgym_ros  # noqa: F401


def main():
    file, node = sys.argv[1:]
    env = gymnasium.make("rtgym_ros/Contract-v0", contract=file, node=node, node_timeout=60.0, disable_env_checker=True)
    env.reset()
    for time_step in range(10**6):
        env.step(np.full(3, 0.75, np.float32))
        if time_step == 10:
            print("flying", flush=True)


if __name__ == "__main__":
    main()
