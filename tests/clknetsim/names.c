// Loaded before clknetsim by programs that look up names in it. clknetsim knows names of nodes and
// no others: here one, MOVING_NAME, is node 1 until the second MOVING_AT of its clock, and node 2
// then. And chronyd looks up names in a thread, which tells by a pipe that it is done; clknetsim
// has neither: here the thread's work is done at once, and the reading end is a timer that is due.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef int (*Lookup)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

static int told = -1;

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                struct addrinfo** out) {
  Lookup next = (Lookup)dlsym(RTLD_NEXT, "getaddrinfo");
  const char *name = getenv("MOVING_NAME"), *at = getenv("MOVING_AT");
  struct timespec now;
  if (node != NULL && name != NULL && at != NULL && strcmp(node, name) == 0) {
    if (hints != NULL && hints->ai_family == AF_INET6) return EAI_NONAME;
    clock_gettime(CLOCK_REALTIME, &now);
    node = now.tv_sec < atoll(at) ? "node1.net1.clk" : "node2.net1.clk";
  }
  return next(node, service, hints, out);
}

int pipe(int ends[2]) {
  ends[0] = told = timerfd_create(CLOCK_MONOTONIC, 0);
  ends[1] = open("/dev/null", O_WRONLY);
  return ends[0] < 0 || ends[1] < 0 ? -1 : 0;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*work)(void*),
                   void* argument) {
  const struct itimerspec soon = {{0, 0}, {0, 1000000}};
  (void)attributes;
  memset(thread, 0, sizeof *thread);
  work(argument);
  if (told >= 0) timerfd_settime(told, 0, &soon, NULL);
  return 0;
}

int pthread_join(pthread_t thread, void** result) {
  (void)thread;
  if (result != NULL) *result = NULL;
  return 0;
}
