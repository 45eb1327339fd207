#pragma once
#include <libpq-fe.h>

#ifdef __linux__
#include <sys/prctl.h>

/// Names the calling thread, in 15 characters, for debuggers and `top -H`.
static inline void clibpq_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
#else
static inline void clibpq_name_thread(const char *name) { (void)name; }
#endif
