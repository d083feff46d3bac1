/*
 * Talking to the service that runs: SIGHUP to pesd, everything else through the client API.
 *
 * Who pesd is stands in the lock of its runtime folder, which only its own user (and root) may
 * open. The number there is believed only while somebody holds that lock, and is turned into a
 * pidfd before it is asked again whether the lock is held: so the signal cannot reach a process
 * that got the number later.
 *
 * What became of a reload is told by numbers that only rise: the newest generation of the provider
 * that was started, the one that serves, the newest that was given up.
 */
#include "definitions/service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>

#include <pes/pes.h>

#include "definitions/tell.h"
#include "sys/clock.h"

#define POLL_MS      100
#define QUERY_MS     5000
#define STARTS_IN_US UINT64_C(3000000) /* a generation is started right after the configuration */

struct state {
    uint64_t config_generation;
    char config_error[SERVICE_TEXT_BYTES];
    bool is_known; /* the provider */
    bool is_ready;
    uint64_t generation, refused, newest;
    char definitions[SERVICE_TEXT_BYTES];
    char reason[SERVICE_TEXT_BYTES];
};

static int query(const struct service *service, struct state *ret)
{
    struct pes_service *answer = NULL;
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    int r = pes_service_query(service->ctx, QUERY_MS, &answer);

    if (r < 0) {
        return r;
    }
    *ret = (struct state){0};
    pes_service_info(answer, &info);
    ret->config_generation = info.config_generation;
    snprintf(ret->config_error, sizeof(ret->config_error), "%s", info.config_error);
    for (uint32_t i = 0; i < info.n_providers; i++) {
        struct pes_provider_info row = {.size_bytes = sizeof(row)};

        if (pes_service_provider(answer, i, &row) == 0 && strcmp(row.name, service->name) == 0 &&
            row.state != PES_PROVIDER_STATE_OFF) {
            ret->is_known = true;
            ret->is_ready = row.state == PES_PROVIDER_STATE_READY;
            ret->generation = row.generation;
            ret->refused = row.refused_generation;
            ret->newest = row.newest_generation;
            snprintf(ret->definitions, sizeof(ret->definitions), "%s", row.definitions);
            snprintf(ret->reason, sizeof(ret->reason), "%s", row.reason);
        }
    }
    pes_service_free(answer);
    return 0;
}

/* -------------------------------------------------------------------------------------- finding */

static int open_lock(void)
{
    const char *runtime = secure_getenv("PES_RUNTIME_DIR");
    const char *user = secure_getenv("XDG_RUNTIME_DIR");
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/lock", runtime && *runtime ? runtime : "/run/pes");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && !(runtime && *runtime) && user && geteuid() != 0) {
        snprintf(path, sizeof(path), "%s/pes/lock", user);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    return fd;
}

static bool is_held(int fd)
{
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        (void)flock(fd, LOCK_UN);
        return false;
    }
    return errno == EWOULDBLOCK;
}

static long read_pid(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

static bool is_pesd(long pid)
{
    CLEANUP(closep) int fd = -1;
    char path[48];
    char name[16] = {0};

    snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && strcmp(name, "pesd\n") == 0;
}

static int open_pesd(void)
{
    CLEANUP(closep) int lock = open_lock();
    CLEANUP(closep) int pidfd = -1;
    long pid = lock < 0 ? 0 : read_pid(lock);

    if (pid > 1 && pid <= INT_MAX && is_held(lock)) {
        pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    }
    if (pidfd < 0 || !is_held(lock) || read_pid(lock) != pid || !is_pesd(pid)) {
        return -1;
    }
    return TAKE_FD(pidfd);
}

int service_look(struct service *service)
{
    struct state state;
    int r = query(service, &state);

    if (r == 0) {
        service->config_generation = state.config_generation;
        service->generation = state.newest;
    }
    return r;
}

bool service_find(struct service *service, const char *name)
{
    int r;

    service->name = name;
    service->pidfd = open_pesd();
    if (service->pidfd < 0) {
        tell("no service runs here that you may tell to load definitions; start it (systemctl "
             "start pes), or run this as its user");
        return false;
    }
    service->ctx = pes_open("pes", PES_VERSION, 0);
    r = service_look(service);
    if (r < 0) {
        tell("the service cannot be asked: %s", pes_error_text(r));
        closep(&service->pidfd);
        service->pidfd = -1;
        return false;
    }
    return true;
}

void service_fini(struct service *service)
{
    closep(&service->pidfd);
    pes_close(service->ctx);
    *service = (struct service)SERVICE_INIT;
}

/* ------------------------------------------------------------------------------------ reloading */

void service_signal(const struct service *service)
{
    if (syscall(SYS_pidfd_send_signal, service->pidfd, SIGHUP, NULL, 0) < 0) {
        tell("the service cannot be told to load again: %s", strerror(errno));
    }
}

/* What is known by now, or 0. `since_us`: how long ago it was told. */
static enum service_outcome judge(const struct service *service, const struct state *state,
                                  uint64_t since_us, char text[SERVICE_TEXT_BYTES])
{
    if (state->refused > service->generation) {
        /* A serial swap: what served before is loaded again already, under a later number. */
        if (!state->is_ready && state->newest > state->refused) {
            return 0;
        }
        snprintf(text, SERVICE_TEXT_BYTES, "%s", state->reason);
        return SERVICE_REFUSED;
    }
    if (state->generation > service->generation) {
        snprintf(text, SERVICE_TEXT_BYTES, "%s", state->definitions);
        return SERVICE_SERVES;
    }
    if (state->newest > service->generation || since_us < STARTS_IN_US) {
        return 0;
    }
    if (state->config_generation == service->config_generation && state->config_error[0]) {
        snprintf(text, SERVICE_TEXT_BYTES, "the service refuses its configuration: %.500s",
                 state->config_error);
        return SERVICE_REFUSED;
    }
    return state->config_generation > service->config_generation ? SERVICE_UNCONCERNED : 0;
}

enum service_outcome service_reload(struct service *service, uint64_t timeout_s,
                                    char ret_text[SERVICE_TEXT_BYTES], bool *ret_has_serving)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    uint64_t started_us = clock_now_us();
    enum service_outcome outcome = 0;
    struct state state = {0};

    *ret_has_serving = false;
    service_signal(service);
    while (outcome == 0 && clock_now_us() - started_us < timeout_s * 1000000u) {
        uint64_t asked_us = clock_now_us();

        if (query(service, &state) == 0) { /* a broker that was lost comes back */
            outcome = judge(service, &state, asked_us - started_us, ret_text);
            *ret_has_serving = state.is_ready;
        }
        if (outcome == 0) {
            nanosleep(&pause, NULL);
        }
    }
    service->generation = state.newest > service->generation ? state.newest : service->generation;
    service->config_generation = state.config_generation;
    if (outcome == 0) {
        snprintf(ret_text, SERVICE_TEXT_BYTES, "no answer within %llu s",
                 (unsigned long long)timeout_s);
        return SERVICE_LATE;
    }
    return outcome;
}
