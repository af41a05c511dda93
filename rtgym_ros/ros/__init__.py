"""The ROS 2 side: everything that imports rclpy or the generated messages."""

try:
    import rclpy  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "rtgym_ros.ros needs ROS 2 (rclpy): source an install of it, or work in ./dev shell", name=error.name
    ) from error
