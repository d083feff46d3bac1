/*
 * Telling others that the service is up: the service manager, and a script that waits on
 * --ready-fd.
 */
#include <string.h>
#include <systemd/sd-daemon.h>

#include "launcher/launcher.h"
#include "log/log.h"
#include "wire/names.h"

/* For everything but loading. */
#define START_SLACK_MS 15000

static void write_ready(struct launcher *launcher)
{
    static const char line[] = "ready\n";

    if (launcher->ready_fd >= 0) {
        /* Whoever asked may have gone; that is not our trouble. */
        (void)!write(launcher->ready_fd, line, strlen(line));
        closep(&launcher->ready_fd);
        launcher->ready_fd = -1;
    }
}

void launcher_notify_starting(const struct launcher *launcher)
{
    const struct config *config = &launcher->config;
    uint64_t longest_ms = 0;

    for (size_t i = 0; i < config->n_providers; i++) {
        if (config->providers[i].is_enabled && config->providers[i].load_timeout_ms > longest_ms) {
            longest_ms = config->providers[i].load_timeout_ms;
        }
    }
    /* Ready is when every provider serves or has failed: a slow one must not cost us the start. */
    (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu",
                     (unsigned long long)(longest_ms + START_SLACK_MS) * 1000);
}

void launcher_notify_ready(struct launcher *launcher, uint32_t n_ready, uint32_t n_failed)
{
    const char *mode = name_of(&wire_mode_names, (uint32_t)launcher->config.mode);

    if (launcher->is_stopping) {
        return;
    }
    (void)sd_notifyf(0, "READY=1\nSTATUS=%u of %u providers serve, mode %s", n_ready,
                     n_ready + n_failed, mode);
    if (launcher->is_ready) {
        return; /* a new broker says it again */
    }
    launcher->is_ready = true;
    log_event(n_failed == 0 ? LOG_NOTICE : LOG_WARNING, EV_START,
              "ready: %u of %u providers serve, mode %s", n_ready, n_ready + n_failed, mode);
    write_ready(launcher);
}
