/* What the kernel gives a program on an absolute grid: what any waiting in Python is held against.
 *
 *   clock_loop PERIOD_NS WARM_UP TICKS sleep|spin
 *
 * sleep: clock_nanosleep() until the deadline, with the system's timer slack.
 * spin:  clock_nanosleep() with a timer slack of 1 ns until a margin before the deadline, then spinning. The margin
 *        follows what the sleeps have overshot, by the rule of rtgym_ros.core.spin_margin.SpinMargin.
 *
 * It prints one JSON object: when it woke up ("captures"), when it was to ("due"), and the time used, all in ns. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_S 1000000000LL
#define MIN_MARGIN_NS 20000.0
#define MAX_MARGIN_NS 500000.0
#define RATE 0.05
#define DEVIATIONS 5.0
#define STALL 6.0

static long long read_ns(clockid_t clock)
{
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void sleep_until(long long deadline_ns)
{
  struct timespec time = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
    ;
}

static double clamp(double value, double least, double most)
{
  return value < least ? least : value > most ? most : value;
}

static void sleep_and_spin_until(long long deadline_ns)
{
  static double mean_ns = 2 * MIN_MARGIN_NS, deviation_ns = 0.4 * MIN_MARGIN_NS;
  long long wake_ns =
      deadline_ns - (long long)clamp(mean_ns + DEVIATIONS * deviation_ns, MIN_MARGIN_NS, MAX_MARGIN_NS);
  if (read_ns(CLOCK_MONOTONIC) < wake_ns) {
    sleep_until(wake_ns);
    double overshoot_ns = read_ns(CLOCK_MONOTONIC) - wake_ns;
    double error_ns = clamp(overshoot_ns - mean_ns, -STALL * deviation_ns, STALL * deviation_ns);
    mean_ns += RATE * error_ns;
    deviation_ns += RATE * ((error_ns < 0 ? -error_ns : error_ns) - deviation_ns);
    deviation_ns = deviation_ns < 1.0 ? 1.0 : deviation_ns;
  }
  while (read_ns(CLOCK_MONOTONIC) < deadline_ns)
    ;
}

static void print_times(const char *name, const long long *times_ns, long number)
{
  printf("\"%s\": [", name);
  for (long tick = 0; tick < number; tick++)
    printf("%s%lld", tick ? ", " : "", times_ns[tick]);
  printf("], ");
}

int main(int argc, char **argv)
{
  if (argc != 5) {
    fprintf(stderr, "usage: %s PERIOD_NS WARM_UP TICKS sleep|spin\n", argv[0]);
    return 2;
  }
  long long period_ns = atoll(argv[1]);
  long warm_up = atol(argv[2]), ticks = atol(argv[3]);
  int spins = strcmp(argv[4], "spin") == 0;
  long long *due_ns = calloc(ticks, sizeof *due_ns), *captures_ns = calloc(ticks, sizeof *captures_ns);
  if (period_ns <= 0 || !due_ns || !captures_ns) {
    fprintf(stderr, "clock_loop: a period above 0 and memory for the times are needed\n");
    return 2;
  }
  if (spins)
    prctl(PR_SET_TIMERSLACK, 1L);
  memset(due_ns, 1, ticks * sizeof *due_ns); /* in memory before they are needed */
  memset(captures_ns, 1, ticks * sizeof *captures_ns);

  long long start_ns = read_ns(CLOCK_MONOTONIC) + period_ns, began_ns = 0, cpu_began_ns = 0;
  for (long tick = -warm_up; tick < ticks; tick++) {
    long long deadline_ns = start_ns + (tick + warm_up) * period_ns;
    if (spins)
      sleep_and_spin_until(deadline_ns);
    else
      sleep_until(deadline_ns);
    long long now_ns = read_ns(CLOCK_MONOTONIC);
    if (tick >= 0) {
      due_ns[tick] = deadline_ns;
      captures_ns[tick] = now_ns;
    } else if (tick == -1) {
      began_ns = now_ns;
      cpu_began_ns = read_ns(CLOCK_PROCESS_CPUTIME_ID);
    }
  }
  long long cpu_ns = read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_ns;
  long long wall_ns = read_ns(CLOCK_MONOTONIC) - began_ns;

  printf("{");
  print_times("captures", captures_ns, ticks);
  print_times("due", due_ns, ticks);
  printf("\"cpu_ns\": %lld, \"wall_ns\": %lld}\n", cpu_ns, wall_ns);
  return 0;
}
