"""Runs programs written for Real-Time Gym on this package without editing them: ``python -m rtgym_ros.compat SCRIPT``.

In such a program ``rtgym``, and the older ``gym_real_time``, are other names of what is in ``rtgym_ros``, whether they
are installed or not. So they are in the processes that :mod:`multiprocessing` starts, whatever its start method. They
are not in other Python interpreters that the program starts by itself (``subprocess``, Ray's workers): start those with
``python -m rtgym_ros.compat`` as well, or change ``rtgym`` to ``rtgym_ros`` in their imports.
"""
