/*
 * Runs a provider without launcher and broker, over their channels.
 *
 * What it does is what those two do, reduced to one provider and one caller who waits: it makes the
 * module's sealed memfd and the channels, starts pes-init, asks for workers and puts questions to
 * them. There is no time limit on a worker but the caller's: killing one that is late is up to
 * whoever asked, by init_driver_command(INIT_KILL).
 */
#include "driver/init_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/packet.h"

#define SEALS           (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define UID_DEFAULT     65534 /* nobody */
#define N_SLOTS_DEFAULT 2
#define N_ARGS          160

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* 6.3 and later */
#endif

static int make_memfd(void)
{
    int fd = memfd_create("pes", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create("pes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return fd < 0 ? -errno : fd;
}

/* The module's bytes, sealed; a descriptor or -errno. */
static int seal_file(const char *path)
{
    CLEANUP(closep) int file = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(closep) int fd = -1;
    struct stat st;

    if (file < 0 || fstat(file, &st) < 0) {
        return -errno;
    }
    fd = make_memfd();
    if (fd < 0) {
        return fd;
    }
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(fd, file, NULL, (size_t)left);

        if (n <= 0) {
            return n < 0 ? -errno : -EIO;
        }
        left -= n;
    }
    return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : TAKE_FD(fd);
}

static int seal_bytes(const void *bytes, size_t n_bytes)
{
    CLEANUP(closep) int fd = make_memfd();
    const char *at = bytes;

    if (fd < 0) {
        return fd;
    }
    for (size_t left = n_bytes; left > 0;) {
        ssize_t n = write(fd, at, left);

        if (n < 0) {
            return -errno;
        }
        at += n;
        left -= (size_t)n;
    }
    return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : TAKE_FD(fd);
}

struct arguments {
    const char *list[N_ARGS];
    char numbers[8][16];
    size_t n;
    size_t n_numbers;
};

static void add(struct arguments *args, const char *name, const char *value)
{
    args->list[args->n++] = name;
    if (value) {
        args->list[args->n++] = value;
    }
}

static void add_number(struct arguments *args, const char *name, uint32_t value)
{
    char *text = args->numbers[args->n_numbers++];

    snprintf(text, sizeof(args->numbers[0]), "%u", value);
    add(args, name, text);
}

static void make_arguments(struct arguments *args, const struct init_driver_options *options,
                           int launcher, int broker, int module)
{
    uint32_t uid = options->uid != 0 ? options->uid : geteuid() == 0 ? UID_DEFAULT : 0;

    add(args, options->init_path, NULL);
    add(args, "--name", options->name);
    add(args, "--host", options->host_path);
    add_number(args, "--launcher-fd", (uint32_t)launcher);
    add_number(args, "--broker-fd", (uint32_t)broker);
    add_number(args, "--module-fd", (uint32_t)module);
    add_number(args, "--slots", options->n_slots != 0 ? options->n_slots : N_SLOTS_DEFAULT);
    if (options->memory_mib != 0) {
        add_number(args, "--memory-mib", options->memory_mib);
    }
    if (options->scratch_mib != 0) {
        add_number(args, "--scratch-mib", options->scratch_mib);
    }
    if (options->min_tier != 0) {
        add_number(args, "--min-tier", options->min_tier);
    }
    if (uid != 0) {
        add_number(args, "--uid", uid);
        add_number(args, "--gid", options->gid != 0 ? options->gid : uid);
    }
    if (options->definitions) {
        add(args, "--definitions", options->definitions);
    }
    for (size_t i = 0; options->settings && options->settings[i] && args->n + 3 < N_ARGS; i++) {
        add(args, "--option", options->settings[i]);
    }
}

/* In the child; returns only when it fails. */
static void become_init(const struct init_driver_options *options, struct arguments *args,
                        const int fds[3])
{
    for (int i = 0; i < 3; i++) {
        if (fcntl(fds[i], F_SETFD, 0) < 0) {
            return;
        }
    }
    if (options->log_fd > 0 && dup2(options->log_fd, STDERR_FILENO) < 0) {
        return;
    }
    execv(options->init_path, (char *const *)(uintptr_t)args->list);
}

int init_driver_start(struct init_driver *driver, const struct init_driver_options *options)
{
    CLEANUP(closep) int launcher = -1;
    CLEANUP(closep) int broker = -1;
    CLEANUP(closep) int module = -1;
    struct arguments args = {.n = 0};
    int pair[2];
    int r;

    *driver = (struct init_driver)INIT_DRIVER_INIT;
    for (size_t i = 0; i < INIT_SLOTS_MAX; i++) {
        driver->channels[i] = -1;
    }
    driver->events = calloc(INIT_DRIVER_EVENTS_MAX, sizeof(*driver->events));
    if (!driver->events) {
        return -ENOMEM;
    }
    module = seal_file(options->module_path);
    if (module < 0) {
        return module;
    }
    r = packet_pair(pair);
    if (r < 0) {
        return r;
    }
    driver->launcher = pair[0];
    launcher = pair[1];
    r = packet_pair(pair);
    if (r < 0) {
        return r;
    }
    driver->broker = pair[0];
    broker = pair[1];
    make_arguments(&args, options, launcher, broker, module);
    driver->pid = fork();
    if (driver->pid < 0) {
        return -errno;
    }
    if (driver->pid == 0) {
        const int fds[] = {launcher, broker, module};

        become_init(options, &args, fds);
        _exit(127);
    }
    return 0;
}

static void close_channel(int *fd)
{
    closep(fd);
    *fd = -1;
}

void init_driver_fini(struct init_driver *driver)
{
    if (driver->pid > 0) {
        kill(driver->pid, SIGKILL);
        while (waitpid(driver->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        driver->pid = -1;
    }
    if (driver->events) { /* only then were the channels set up */
        for (size_t i = 0; i < INIT_SLOTS_MAX; i++) {
            close_channel(&driver->channels[i]);
        }
    }
    close_channel(&driver->launcher);
    close_channel(&driver->broker);
    freep(&driver->events);
    driver->events = NULL;
}

/* Waits until `fd` can be read (or is closed) or the time is over. 0, E_TIMEOUT or -errno. */
static int wait_for(int fd, uint64_t deadline_us)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    for (;;) {
        uint64_t now_us = clock_now_us();
        int r;

        r = poll(&pollfd, 1, now_us >= deadline_us ? 0 : (int)((deadline_us - now_us) / 1000 + 1));
        if (r > 0) {
            return 0;
        }
        if (r == 0) {
            return INIT_DRIVER_E_TIMEOUT;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

static uint64_t deadline_after(int timeout_ms)
{
    return clock_now_us() + (uint64_t)timeout_ms * 1000u;
}

static bool is_wanted(const struct init_driver_event *event, uint32_t type, int slot)
{
    return (type == 0 || event->head.type == type) &&
           (slot < 0 || event->head.slot == (uint32_t)slot);
}

static int take_kept(struct init_driver *driver, uint32_t type, int slot,
                     struct init_driver_event *ret_event)
{
    for (size_t i = 0; i < driver->n_events; i++) {
        if (is_wanted(&driver->events[i], type, slot)) {
            *ret_event = driver->events[i];
            driver->n_events--;
            memmove(&driver->events[i], &driver->events[i + 1],
                    (driver->n_events - i) * sizeof(driver->events[0]));
            return 0;
        }
    }
    return -ENOENT;
}

static int receive_event(struct init_driver *driver, struct init_driver_event *ret_event)
{
    uint8_t bytes[sizeof(struct init_event) + INIT_PAYLOAD_BYTES_MAX];
    struct init_event *head = &ret_event->head;
    ssize_t n = packet_receive(driver->broker, bytes, sizeof(bytes));

    if (n == 0 || n == -ECONNRESET) {
        return INIT_DRIVER_E_LOST;
    }
    if (n < 0) {
        return (int)n;
    }
    if ((size_t)n < sizeof(*head)) {
        return INIT_DRIVER_E_PROTOCOL;
    }
    memcpy(head, bytes, sizeof(*head));
    if (head->version != INIT_CHANNEL_VERSION || (size_t)n != sizeof(*head) + head->n_payload) {
        return INIT_DRIVER_E_PROTOCOL;
    }
    memcpy(ret_event->payload, bytes + sizeof(*head), head->n_payload);
    ret_event->payload[head->n_payload] = '\0';
    return 0;
}

int init_driver_wait_event(struct init_driver *driver, uint32_t type, int slot, int timeout_ms,
                           struct init_driver_event *ret_event)
{
    uint64_t deadline_us = deadline_after(timeout_ms);
    int r;

    if (take_kept(driver, type, slot, ret_event) == 0) {
        return 0;
    }
    for (;;) {
        r = wait_for(driver->broker, deadline_us);
        if (r != 0) {
            return r;
        }
        r = receive_event(driver, ret_event);
        if (r == -EAGAIN) {
            continue;
        }
        if (r != 0 || is_wanted(ret_event, type, slot)) {
            return r;
        }
        if (driver->n_events == INIT_DRIVER_EVENTS_MAX) {
            return -ENOBUFS;
        }
        driver->events[driver->n_events++] = *ret_event;
    }
}

/* What init told the launcher, when it was not well enough to tell the broker. */
static void read_launcher_text(struct init_driver *driver, struct init_driver_event *ret_event)
{
    struct launch_event event;
    ssize_t n;

    ret_event->payload[0] = '\0';
    while ((n = packet_receive(driver->launcher, &event, sizeof(event))) == sizeof(event)) {
        if (event.type == LAUNCH_FAILED && event.n_text < sizeof(event.text)) {
            memcpy(ret_event->payload, event.text, event.n_text);
            ret_event->payload[event.n_text] = '\0';
        }
    }
}

int init_driver_wait_ready(struct init_driver *driver, int timeout_ms,
                           struct init_driver_event *ret_event, struct wire_frame *ret_describe)
{
    struct wire_fault fault;
    int r = init_driver_wait_event(driver, 0, -1, timeout_ms, ret_event);

    if (r == INIT_DRIVER_E_LOST) {
        read_launcher_text(driver, ret_event);
    }
    if (r != 0) {
        return r;
    }
    if (ret_event->head.type == INIT_FAILED) {
        return INIT_DRIVER_E_LOST;
    }
    if (ret_event->head.type != INIT_READY ||
        wire_decode(ret_describe, ret_event->payload, ret_event->head.n_payload, &fault) != 0 ||
        ret_describe->type != WIRE_TYPE_DESCRIBE) {
        return INIT_DRIVER_E_PROTOCOL;
    }
    return 0;
}

static int send_command(struct init_driver *driver, enum init_command_type type, uint32_t slot,
                        uint64_t generation, int fd)
{
    struct init_command command = {
        .version = INIT_CHANNEL_VERSION,
        .type = type,
        .slot = slot,
        .generation = generation,
    };

    return packet_send(driver->broker, &command, sizeof(command), fd);
}

int init_driver_command(struct init_driver *driver, enum init_command_type type, uint32_t slot,
                        uint64_t generation)
{
    return send_command(driver, type, slot, generation, -1);
}

int init_driver_spawn(struct init_driver *driver, uint32_t slot, uint64_t generation,
                      int timeout_ms)
{
    CLEANUP(freep) struct init_driver_event *event = malloc(sizeof(*event));
    CLEANUP(closep) int theirs = -1;
    uint64_t deadline_us = deadline_after(timeout_ms);
    int pair[2];
    int r;

    if (!event) {
        return -ENOMEM;
    }
    r = packet_pair(pair);
    if (r < 0) {
        return r;
    }
    close_channel(&driver->channels[slot]);
    driver->channels[slot] = pair[0];
    theirs = pair[1];
    r = send_command(driver, INIT_SPAWN, slot, generation, theirs);
    if (r < 0) {
        return r;
    }
    do { /* skipping what was left over of the slot's last worker */
        uint64_t now_us = clock_now_us();

        r = init_driver_wait_event(driver, 0, (int)slot,
                                   now_us < deadline_us ? (int)((deadline_us - now_us) / 1000) : 0,
                                   event);
        if (r != 0) {
            return r;
        }
    } while (event->head.generation != generation || event->head.type == INIT_READY);
    return event->head.type == INIT_SPAWNED ? 0 : INIT_DRIVER_E_LOST;
}

int init_driver_scan_send(struct init_driver *driver, uint32_t slot, const struct wire_scan *scan,
                          const void *content, size_t n_content)
{
    CLEANUP(freep) uint8_t *message = malloc(WIRE_MESSAGE_BYTES_MAX);
    CLEANUP(freep) struct wire_scan *question = malloc(sizeof(*question));
    CLEANUP(closep) int fd = -1;
    size_t n_message;
    int r;

    if (!message || !question) {
        return -ENOMEM;
    }
    *question = *scan;
    question->content = (struct wire_bytes){0};
    question->content_bytes = n_content;
    if (n_content <= WIRE_INLINE_BYTES_MAX) {
        question->content = (struct wire_bytes){.data = content, .size = n_content};
    } else {
        fd = seal_bytes(content, n_content);
        if (fd < 0) {
            return fd;
        }
    }
    r = wire_encode(WIRE_TYPE_SCAN, question, message, WIRE_MESSAGE_BYTES_MAX, &n_message);
    if (r != 0) {
        return -EINVAL;
    }
    r = packet_send(driver->channels[slot], message, n_message, fd);
    return r == -EPIPE || r == -ECONNRESET ? INIT_DRIVER_E_LOST : r;
}

int init_driver_scan_receive(struct init_driver *driver, uint32_t slot, int timeout_ms,
                             char buffer[WIRE_RESULT_BYTES_MAX], struct wire_frame *ret_result)
{
    int r = wait_for(driver->channels[slot], deadline_after(timeout_ms));
    struct wire_fault fault;
    ssize_t n;

    if (r != 0) {
        return r;
    }
    n = packet_receive(driver->channels[slot], buffer, WIRE_RESULT_BYTES_MAX);
    if (n == 0 || n == -ECONNRESET) {
        return INIT_DRIVER_E_LOST;
    }
    if (n == -EMSGSIZE) {
        return INIT_DRIVER_E_PROTOCOL;
    }
    if (n < 0) {
        return (int)n;
    }
    if (wire_decode(ret_result, buffer, (size_t)n, &fault) != 0 ||
        ret_result->type != WIRE_TYPE_RESULT) {
        return INIT_DRIVER_E_PROTOCOL;
    }
    return 0;
}

int init_driver_scan(struct init_driver *driver, uint32_t slot, const struct wire_scan *scan,
                     const void *content, size_t n_content, int timeout_ms,
                     char buffer[WIRE_RESULT_BYTES_MAX], struct wire_frame *ret_result)
{
    int r = init_driver_scan_send(driver, slot, scan, content, n_content);

    if (r != 0) {
        return r;
    }
    r = init_driver_scan_receive(driver, slot, timeout_ms, buffer, ret_result);
    if (r == 0 && ret_result->result.id != scan->id) {
        return INIT_DRIVER_E_PROTOCOL;
    }
    return r;
}

int init_driver_new_broker(struct init_driver *driver)
{
    struct launch_command command = {.version = LAUNCH_CHANNEL_VERSION, .type = LAUNCH_NEW_BROKER};
    CLEANUP(closep) int theirs = -1;
    int pair[2];
    int r;

    r = packet_pair(pair);
    if (r < 0) {
        return r;
    }
    close_channel(&driver->broker);
    driver->broker = pair[0];
    driver->n_events = 0;
    theirs = pair[1];
    return packet_send(driver->launcher, &command, sizeof(command), theirs);
}

int init_driver_next_broker(struct init_driver *driver, int *ret_broker)
{
    struct launch_command command = {.version = LAUNCH_CHANNEL_VERSION, .type = LAUNCH_NEXT_BROKER};
    CLEANUP(closep) int theirs = -1;
    CLEANUP(closep) int ours = -1;
    int pair[2];
    int r;

    r = packet_pair(pair);
    if (r < 0) {
        return r;
    }
    ours = pair[0];
    theirs = pair[1];
    r = packet_send(driver->launcher, &command, sizeof(command), theirs);
    if (r == 0) {
        *ret_broker = TAKE_FD(ours);
    }
    return r;
}

int init_driver_wait_exit(struct init_driver *driver, int timeout_ms)
{
    CLEANUP(closep) int pidfd = (int)syscall(SYS_pidfd_open, driver->pid, 0);
    int status;
    int r;

    if (pidfd < 0) {
        return -errno;
    }
    r = wait_for(pidfd, deadline_after(timeout_ms));
    if (r != 0) {
        return r == INIT_DRIVER_E_TIMEOUT ? -ETIMEDOUT : r;
    }
    while (waitpid(driver->pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    driver->pid = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int init_driver_stop(struct init_driver *driver, int timeout_ms)
{
    struct launch_command command = {.version = LAUNCH_CHANNEL_VERSION, .type = LAUNCH_STOP};
    int r = packet_send(driver->launcher, &command, sizeof(command), -1);

    return r < 0 && r != -EPIPE ? r : init_driver_wait_exit(driver, timeout_ms);
}
