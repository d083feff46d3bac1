/*
 * Reading the configuration again.
 *
 * Everything is read and checked before anything changes. One mistake, and all stays as it is: the
 * mistakes are logged, and `pes status` shows the first of them. Otherwise the broker gets the new
 * configuration in one message, and every provider whose configuration, module or definitions have
 * changed a new generation; the old one serves until the new one does. While the broker is upgraded
 * all that waits, so that no generation is taken from a broker that has yet to answer.
 */
#include <string.h>
#include <systemd/sd-daemon.h>

#include "launcher/launcher.h"
#include "log/log.h"
#include "sys/clock.h"

static void refuse(struct launcher *launcher, int r)
{
    const struct problems *problems = &launcher->problems;
    const char *first = problems->n > 0 ? problems->lines[0] : strerror(-r);
    size_t n_kept = problems_n_kept(problems);

    for (size_t i = 0; i < n_kept; i++) {
        log_event(LOG_ERR, EV_CONFIG_REFUSED, "%s", problems->lines[i]);
    }
    log_event(LOG_ERR, EV_CONFIG_REFUSED,
              "the configuration is not taken (%zu mistake%s); the one before stays in force",
              problems->n, problems->n == 1 ? "" : "s");
    launcher_show_refusal(launcher, first, false);
}

void launcher_reload(struct launcher *launcher)
{
    static struct config next; /* large */
    int r;

    if (launcher->is_stopping) {
        return;
    }
    if (front_is_upgrading(launcher->front)) {
        launcher->reload_waits = true;
        log_event(LOG_INFO, EV_UPGRADE, "the configuration is read again when that is over");
        return;
    }
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_now_us());
    launcher->problems.n = 0;
    r = config_load(&next, &launcher->place, &launcher->problems);
    if (r == 0) {
        struct config old = launcher->config;

        launcher->config = next;
        launcher->config_generation++;
        launcher->refused[0] = '\0';
        launcher_configure(launcher);
        providers_apply(&launcher->providers);
        config_fini(&old);
        log_event(LOG_NOTICE, EV_CONFIG_APPLIED, "configuration %llu is in force (%zu providers)",
                  (unsigned long long)launcher->config_generation, launcher->config.n_providers);
    } else {
        refuse(launcher, r);
    }
    (void)sd_notify(0, "READY=1");
}
