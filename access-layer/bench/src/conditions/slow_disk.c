/* Makes every flush of a file take SLOW_DISK_US microseconds longer, as on a disk that is further away. Loaded before the C
 * library (LD_PRELOAD); whatever else a program does is as it was. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int (*flush)(int);

static int slowly(const char *name, int file) {
    const char *text = getenv("SLOW_DISK_US");
    long delay = text ? atol(text) : 0;
    struct timespec time = {delay / 1000000, delay % 1000000 * 1000};
    int result = ((flush)dlsym(RTLD_NEXT, name))(file);
    nanosleep(&time, NULL);
    return result;
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
