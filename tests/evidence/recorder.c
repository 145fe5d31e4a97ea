/* Writes down, in their order, all changes that a process makes to files in one folder.
 *
 * Preloaded into a process: RECORDER_FOLDER says which folder, RECORDER_LOG where to write. A record is
 * {kind, file, offset, length} and, behind it, the bytes written or the path. What a power failure may
 * leave of the files follows from the records: see power.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 4096

enum { OPENED = 1, WRITTEN, CUT, SYNCED, DELETED, RENAMED, LINKED };

struct record {
    uint32_t kind, file;
    uint64_t offset, length;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;
static const char *folder;
static char is_watched[MOST_FILES], is_appending[MOST_FILES];

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("RECORDER_LOG");
    folder = getenv("RECORDER_FOLDER");
    if (log && folder)
        out = REAL(int, open64, const char *, int, ...)(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
}

static void note(uint32_t kind, uint32_t file, uint64_t offset, uint64_t length, const void *bytes, size_t size) {
    struct record head = {kind, file, offset, length};
    ssize_t (*put)(int, const void *, size_t) = REAL(ssize_t, write, int, const void *, size_t);
    if (put(out, &head, sizeof head) < 0 || (size && put(out, bytes, size) < 0)) abort();
}

static int is_inside(const char *path) {
    return out >= 0 && path && strncmp(path, folder, strlen(folder)) == 0 && !strstr(path, "-shm");
}

static int watched(int file) { return out >= 0 && file >= 0 && file < MOST_FILES && is_watched[file]; }

static void opened(int file, const char *path, int flags) {
    if (file < 0 || file >= MOST_FILES) return;
    struct stat about;
    /* Neither folders nor files without a name (O_TMPFILE holds O_DIRECTORY) outlive the process. */
    is_watched[file] = is_inside(path) && !(flags & O_DIRECTORY) && fstat(file, &about) == 0 && S_ISREG(about.st_mode);
    is_appending[file] = !!(flags & O_APPEND);
    if (is_watched[file]) note(OPENED, file, !!(flags & O_TRUNC), strlen(path), path, strlen(path));
}

#define OPEN(name)                                                                 \
    int name(const char *path, int flags, ...) {                                   \
        va_list rest;                                                              \
        va_start(rest, flags);                                                     \
        mode_t mode = va_arg(rest, mode_t);                                        \
        va_end(rest);                                                              \
        pthread_mutex_lock(&turn);                                                 \
        int file = REAL(int, name, const char *, int, ...)(path, flags, mode);     \
        opened(file, path, flags);                                                 \
        pthread_mutex_unlock(&turn);                                               \
        return file;                                                               \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                    \
    int name(int at, const char *path, int flags, ...) {                                \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = va_arg(rest, mode_t);                                             \
        va_end(rest);                                                                   \
        pthread_mutex_lock(&turn);                                                      \
        int file = REAL(int, name, int, const char *, int, ...)(at, path, flags, mode); \
        opened(file, path, flags);                                                      \
        pthread_mutex_unlock(&turn);                                                    \
        return file;                                                                    \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *bytes, size_t size) {
    ssize_t (*put)(int, const void *, size_t) = REAL(ssize_t, write, int, const void *, size_t);
    if (!watched(file)) return put(file, bytes, size);
    pthread_mutex_lock(&turn);
    struct stat about;
    off_t at = is_appending[file] && fstat(file, &about) == 0 ? about.st_size : lseek(file, 0, SEEK_CUR);
    ssize_t done = put(file, bytes, size);
    if (done > 0) note(WRITTEN, file, at, done, bytes, done);
    pthread_mutex_unlock(&turn);
    return done;
}

#define PWRITE(name)                                                                                       \
    ssize_t name(int file, const void *bytes, size_t size, off_t at) {                                     \
        pthread_mutex_lock(&turn);                                                                         \
        ssize_t done = REAL(ssize_t, name, int, const void *, size_t, off_t)(file, bytes, size, at);       \
        if (done > 0 && watched(file)) note(WRITTEN, file, at, done, bytes, done);                         \
        pthread_mutex_unlock(&turn);                                                                       \
        return done;                                                                                       \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define CUT_TO(name)                                                     \
    int name(int file, off_t length) {                                   \
        pthread_mutex_lock(&turn);                                       \
        int done = REAL(int, name, int, off_t)(file, length);            \
        if (done == 0 && watched(file)) note(CUT, file, length, 0, 0, 0); \
        pthread_mutex_unlock(&turn);                                     \
        return done;                                                     \
    }
CUT_TO(ftruncate)
CUT_TO(ftruncate64)

#define SYNC(name)                                                    \
    int name(int file) {                                              \
        pthread_mutex_lock(&turn);                                    \
        int done = REAL(int, name, int)(file);                        \
        if (done == 0 && watched(file)) note(SYNCED, file, 0, 0, 0, 0); \
        pthread_mutex_unlock(&turn);                                  \
        return done;                                                  \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    pthread_mutex_lock(&turn);
    int done = REAL(int, unlink, const char *)(path);
    if (done == 0 && is_inside(path)) note(DELETED, 0, 0, strlen(path), path, strlen(path));
    pthread_mutex_unlock(&turn);
    return done;
}

static void moved(uint32_t kind, const char *from, const char *to) {
    if (!is_inside(from) && !is_inside(to)) return;
    size_t first = strlen(from), second = strlen(to);
    char *both = malloc(first + second + 1);
    memcpy(both, from, first);
    both[first] = '\n';
    memcpy(both + first + 1, to, second);
    note(kind, 0, 0, first + second + 1, both, first + second + 1);
    free(both);
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&turn);
    int done = REAL(int, rename, const char *, const char *)(from, to);
    if (done == 0) moved(RENAMED, from, to);
    pthread_mutex_unlock(&turn);
    return done;
}

int link(const char *from, const char *to) {
    pthread_mutex_lock(&turn);
    int done = REAL(int, link, const char *, const char *)(from, to);
    if (done == 0) moved(LINKED, from, to);
    pthread_mutex_unlock(&turn);
    return done;
}
