/*
 * The zygote: confines itself, loads one module and its definitions, has it prove itself, says what
 * it is, and then forks a worker for each channel that init hands it.
 *
 * It never sees content, and nobody believes what it says about workers: init checks the pid and
 * waits for it. It has one thread. Whatever goes wrong before it serves is told to init as text,
 * once, and ends it.
 */
#include "host/zygote.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/fork_worker.h"
#include "host/huge_pages.h"
#include "host/init_link.h"
#include "host/module.h"
#include "host/self_test.h"
#include "host/worker.h"
#include "ipc/init_channel.h"
#include "sys/packet.h"
#include "wire/codec.h"

struct zygote {
    const struct host_options *options;
    int init_fd;
    int trial[2]; /* made before sockets are out of reach */
    struct confine confine;
    struct module module;
    struct self_test_report report;
};

static int fail(struct zygote *zygote, const char *text)
{
    struct zygote_event event = {.type = ZYGOTE_FAILED};

    int r = init_link_send(zygote->init_fd, &event, text, strlen(text));

    return r < 0 ? r : -1;
}

static int confine_and_load(struct zygote *zygote)
{
    char text[MODULE_TEXT_BYTES];
    const char *step = "making the self-test's channel";
    int r;

    fork_worker_prepare();
    r = packet_pair(zygote->trial);
    if (r == 0) {
        r = confine_before_module(&zygote->confine, zygote->options, &step);
    }
    if (r != 0) {
        snprintf(text, sizeof(text), "the sandbox cannot be made: %s: %s", step, strerror(-r));
        return fail(zygote, text);
    }
    if (init_link_phase(zygote->init_fd, ZYGOTE_LOADING_MODULE) < 0) {
        return -1;
    }
    if (module_open(&zygote->module, zygote->options->module_fd, text) < 0) {
        return fail(zygote, text);
    }
    close(zygote->options->module_fd);
    if (init_link_phase(zygote->init_fd, ZYGOTE_LOADING_DEFINITIONS) < 0) {
        return -1;
    }
    if (module_load(&zygote->module, zygote->options, text) < 0) {
        return fail(zygote, text);
    }
    huge_pages_collapse(zygote->confine.maps_fd);
    close(TAKE_FD(zygote->confine.maps_fd));
    return 0;
}

static int prove(struct zygote *zygote)
{
    char text[MODULE_TEXT_BYTES];
    int r;

    r = confine_memory_to_loaded(&zygote->confine, zygote->options->memory_mib);
    if (r < 0) {
        snprintf(text, sizeof(text), "the sandbox cannot be made: limiting memory: %s",
                 strerror(-r));
        return fail(zygote, text);
    }
    if (init_link_phase(zygote->init_fd, ZYGOTE_SELF_TEST) < 0) {
        return -1;
    }
    if (self_test_run(&zygote->module, zygote->options, zygote->trial, &zygote->report, text) < 0) {
        return fail(zygote, text);
    }
    return init_link_phase(zygote->init_fd, ZYGOTE_SERVING);
}

static int describe(struct zygote *zygote)
{
    const struct module *module = &zygote->module;
    struct zygote_event event = {.type = ZYGOTE_READY};
    struct wire_describe describe = {
        .name = wire_text(module->provider.name),
        .version = wire_text(module->provider.version),
        .definitions = wire_text(module->load.version),
        .note = wire_text(module->load.note),
        .n_kinds = module->n_kinds,
        .n_samples = zygote->report.n_samples,
        .test_strings = zygote->report.test_strings,
        .n_clean_flagged = zygote->report.n_clean_flagged,
        .takes_beginnings = (module->provider.flags & PES_PROVIDER_PREFIX) != 0,
    };
    uint8_t payload[INIT_PAYLOAD_BYTES_MAX];
    size_t n_payload;
    int r;

    memcpy(describe.kinds, module->kinds, module->n_kinds * sizeof(module->kinds[0]));
    r = wire_encode(WIRE_TYPE_DESCRIBE, &describe, payload, sizeof(payload), &n_payload);
    if (r != 0) {
        return fail(zygote, wire_outcome_text(r));
    }
    return init_link_send(zygote->init_fd, &event, payload, n_payload);
}

static int fork_for(struct zygote *zygote, const struct zygote_command *command, int channel)
{
    struct zygote_event event = {
        .type = ZYGOTE_FORKED,
        .slot = command->slot,
        .generation = command->generation,
    };
    pid_t init;
    pid_t pid = fork_worker(&init);

    if (pid == 0) {
        close(zygote->init_fd);
        worker_run(&zygote->module, zygote->options, command->slot, channel, init);
    }
    event.value = pid;
    return init_link_send(zygote->init_fd, &event, NULL, 0);
}

/* Returns only when init is gone or says something unheard of. */
static void serve(struct zygote *zygote)
{
    for (;;) {
        struct pollfd pollfd = {.fd = zygote->init_fd, .events = POLLIN};
        CLEANUP(closep) int channel = -1;
        struct zygote_command command;
        ssize_t n;

        n = packet_receive_fd(zygote->init_fd, &command, sizeof(command), &channel);
        if (n == -EAGAIN) {
            (void)poll(&pollfd, 1, -1);
            continue;
        }
        if (n != sizeof(command) || command.version != ZYGOTE_CHANNEL_VERSION ||
            command.type != ZYGOTE_FORK || channel < 0) {
            return;
        }
        if (fork_for(zygote, &command, channel) < 0) {
            return;
        }
    }
}

int zygote_run(const struct host_options *options)
{
    static struct zygote zygote = {
        .trial = {-1, -1}, .confine = CONFINE_INIT, .module = MODULE_INIT};

    zygote.options = options;
    zygote.init_fd = options->init_fd;
    if (confine_and_load(&zygote) < 0 || prove(&zygote) < 0 || describe(&zygote) < 0) {
        return 1;
    }
    serve(&zygote);
    return 0;
}
