"""Contracts to read, and to spoil."""

import copy

from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.contract.grammar.source import ContractError

# The example of the grammar.
DIFF_DRIVE = """\
contract: 1
robot: diff_drive
time: {time_step_duration: 0.05, act_buf_len: 4, ep_max_length: 200}
spaces: {observation: dict, action: flat}
action:
  velocity:
    topic: cmd_vel
    type: geometry_msgs/msg/TwistStamped
    fields: [twist.linear.x, twist.angular.z]
    low: [-0.22, -2.84]
    high: [0.22, 2.84]
    agent_range: [-1.0, 1.0]
    default: 0.0
    quantity: velocity
    limits: {max_acceleration: [2.5, 3.2]}
    fill: {header.frame_id: base_link}
    echo: {topic: applied_command, stamp: command_stamp}
observation:
  pose:
    topic: odom
    type: nav_msgs/msg/Odometry
    fields: [pose.pose.position.x, pose.pose.position.y, pose.pose.orientation]
    convert: [{quaternion: yaw}]
    low: [-10, -10, -3.15]
    high: [10, 10, 3.15]
    max_age: 0.2
    when_stale: truncate
  wheels: {topic: joint_states, type: sensor_msgs/msg/JointState, names: [left, right], fields: [velocity], low: -30,
    high: 30}
gates:
  ready: {topic: robot_ready, type: std_msgs/msg/Bool, field: data, equals: true, qos: latched, when_lost: fail}
reset:
  - {call: reset_odometry, type: std_srvs/srv/Trigger}
guard: {timeout: 0.2, inputs: {agent: 10, joystick: 100}, lock: e_stop}
task: {class: "my_robot.tasks:ReachPosition", args: {radius: 0.1}}
"""

# Every key of the grammar at least once: a quadruped, a camera, a gripper, and whatever else there is.
EVERYTHING = """\
contract: 1
robot: oddity
x-joints: &joints [FL_hip, FL_thigh, FL_calf]
time:
  time_step_duration: 0.02
  start_obs_capture: 0.018
  time_step_timeout_factor: .inf
  ep_max_length: .inf
  act_buf_len: 3
  cpu_affinity: [1]
  realtime_priority: 80
  garbage_collection: freeze
  phase: joints
  late_action: safe
spaces: {observation: tuple, action: dict}
action:
  legs:
    topic: low_cmd
    type: odd_msgs/msg/LowCmd
    fields: ["motor_cmd[0,1,2].q"]
    low: [-1, -1, -2.7]
    high: 1
    quantity: position
    default: measured
    safe: {fill: {"motor_cmd[0:3].kp": 0, "motor_cmd[0:3].kd": 8.0}}
    agent_range: [[-1, 1], [-1, 1], [0, 1]]
    convert: [{scale: [1, -1, 1]}, {offset: 0.1, of: "motor_cmd[0,1,2].q"}]
    limits: {max_velocity: 20, max_acceleration: [100, 100, 80], max_deceleration: 200, max_jerk: 1e4}
    first_from: joints
    relative: true
    max_step: [0.1, 0.1, 0.2]
    out_of_bounds: fail
    fill: {mode: 0x0A, "motor_cmd[0:20].dq": 2.146e9, "motor_cmd[0:3].kp": 60, level: LOW, "reserve": [0, 1],
           pose.x: task.x}
    stamp: {field: tick, unit: us}
    checksum: odd_msgs.crc:fill_crc
    rate: 500
    between: linear
    qos: {reliability: best_effort, durability: volatile, history: keep_last, depth: 1, deadline: 0.1, lifespan: 1,
          liveliness: automatic, liveliness_lease_duration: 2}
  arm:
    topic: arm/commands
    type: sensor_msgs/msg/JointState
    names: *joints
    prefix: left_
    fields: [velocity]
    low: -1
    high: 1
    quantity: [velocity, velocity, effort]
    default: [0, 0, last]
    safe: last
    dtype: float64
    stamp: none
  attitude:
    topic: attitude
    type: geometry_msgs/msg/QuaternionStamped
    fields: [quaternion]
    convert: [{quaternion: wxyz}, {axes: [y, x, -z], of: [quaternion]}, {function: "odd:there", inverse: "odd:back"}]
    low: -1
    high: 1
    quantity: acceleration
    default: 0
    safe: 0
    limits: {max_jerk: 3}
  gripper: {goal: gripper/command, type: control_msgs/action/GripperCommand, fields: [command.position],
            low: 0, high: 0.08, quantity: position, default: 0.08, safe: last, fill: {command.max_effort: 5}}
observation:
  joints: {topic: low_state, type: odd_msgs/msg/LowState, fields: ["motor_state[0,1,2].q"], low: -3, high: 3,
           history: 4, stamp: {field: tick, unit: ms, bits: 32}, max_age: none, when_stale: warn, out_of_bounds: clip,
           dtype: float64}
  foes: {topic: poses, fields: ["poses[name=cf231].pose.position.x"], low: -5, high: 5, stamp: received, qos: sensor}
  mode: {topic: mode, fields: [state], convert: [{map: {IDLE: 0, "2": 1.5, on: 2}}], low: 0, high: 2, stamp: none}
  scan: {topic: scan, type: sensor_msgs/msg/LaserScan,
         convert: [{ranges: {inf: 10, nan: 0, max: 10, beams: 108, pick: min}}], low: 0, high: 10}
  image: {topic: image_raw, type: sensor_msgs/msg/Image, convert: [{image: {width: 64, height: 48, grey: true}}],
          dtype: uint8}
  heading: {topic: odom, fields: [pose.pose.orientation], low: -4, high: 4, out_of_bounds: truncate,
            convert: [{quaternion: {from: wxyz, frame: ned_frd, to: yaw}}, {wrap: 3.14159}, {clip: [-3, 3]},
                      {nan: refuse}, {nan: 0.0}, {function: "odd:there"}], qos: {profile: sensor, depth: 10}}
gates:
  armed: {topic: status, field: arming_state, any_of: [ARMED, 4], max_age: 1.5, timeout: 10, when_lost: wait}
  can_fly: {topic: supervisor, field: info, bits: [0x8, CAN_FLY]}
  battery: {topic: battery, field: percentage, min: 0.2, max: 1.1, when_lost: truncate}
start:
  - {publish: mode_command, type: odd_msgs/msg/Mode, fill: {mode: 6}, every: 0.5, until: armed, timeout: 20,
     stamp: none, qos: command, checksum: "odd:crc"}
  - {call: arm, type: std_srvs/srv/SetBool, fill: {data: true}, expect: {success: true, code: 0}, every: 1}
  - {goal: take_off, type: odd_msgs/action/TakeOff, fill: {height: 0.5}, wait: true, timeout: 30}
  - {until: can_fly}
  - until: {topic: altitude, type: std_msgs/msg/Float32, field: data, min: 0.4}
    timeout: 3
  - {sleep: 0.5}
reset:
  - {send: {arm: [0, 0, 0], legs: 0.5}, until: {topic: at_home, field: data, equals: true}, timeout: 15}
wait: [{publish: hover}]
stop: [{call: land}]
heartbeats:
  - {topic: offboard_mode, type: odd_msgs/msg/Offboard, fill: {velocity: true, position: .nan}, rate: 10, qos: command,
     stamp: {field: timestamp, unit: us}, checksum: "odd:crc"}
guard:
  timeout: 0.5
  inputs:
    agent: {priority: 1, timeout: 0.3}
    joystick: {priority: 100, topic: joy, type: sensor_msgs/msg/Joy, qos: sensor,
               fields: {arm: ["axes[0]", "axes[1]", "axes[2]"]}}
  lock: {topic: e_stop, timeout: 1, qos: latched}
task: {class: "odd.tasks:Walk", args: {weights: [1, 2, {deep: null}], name: on}}
"""


def problems(text):
    """Return the problems of a contract's text, none where it is read."""
    try:
        parse_contract(text, "robot.yaml")
    except ContractError as error:
        return list(error.problems)
    return []


def edited(data, changes):
    """Return a copy of plain data with values set at dotted keys; ``...`` takes the key away."""
    data = copy.deepcopy(data)
    for dotted, value in changes.items():
        *above, last = dotted.split("/")
        place = data
        for key in above:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        if value is ...:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    return data
