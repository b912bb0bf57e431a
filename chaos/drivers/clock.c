/*
 * A clock that the lab sets, for a program that is started with this in LD_PRELOAD: the time of day is the machine's, and
 * ahead of it by as many nanoseconds as the file says that FAILOPEN_CLOCK names, a whole number of 64 bits. It may change
 * at any time. The monotonic clock stays as it is.
 *
 * The kernel is asked by system calls: a program's own allocator may ask for the time before any library can be found.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static volatile const int64_t *ahead;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAILOPEN_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) ahead = page;
  close(file);
}

int clock_gettime(clockid_t id, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, id, now);
  if (failed || !ahead || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return failed;
  int64_t ns = now->tv_sec * SECOND + now->tv_nsec + *ahead;
  now->tv_sec = ns / SECOND;
  now->tv_nsec = ns % SECOND;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec told;
  if (clock_gettime(CLOCK_REALTIME, &told)) return -1;
  now->tv_sec = told.tv_sec;
  now->tv_usec = told.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec told;
  if (clock_gettime(CLOCK_REALTIME, &told)) return -1;
  if (now) *now = told.tv_sec;
  return told.tv_sec;
}
