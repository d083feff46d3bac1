/*
 * When the broker is upgraded.
 *
 * Only while every provider has one generation and keeps it: then both brokers have the same, and
 * neither can be told by the other to give up what it still needs. So an upgrade waits for a reload
 * that is under way, and a reload for an upgrade. Several that were asked for while they had to
 * wait become one.
 */
#include <systemd/sd-daemon.h>

#include "launcher/launcher.h"
#include "log/log.h"

void launcher_upgrade(struct launcher *launcher)
{
    if (launcher->is_stopping) {
        return;
    }
    if (front_is_upgrading(launcher->front) || providers_are_changing(&launcher->providers)) {
        if (!launcher->upgrade_waits) {
            log_event(LOG_INFO, EV_UPGRADE,
                      "pes-broker is upgraded when what is under way is over");
        }
        launcher->upgrade_waits = true;
        return;
    }
    launcher->upgrade_waits = false;
    front_upgrade(launcher->front);
}

void launcher_go_on(struct launcher *launcher)
{
    if (launcher->is_stopping || front_is_upgrading(launcher->front)) {
        return;
    }
    if (launcher->reload_waits) {
        launcher->reload_waits = false;
        launcher_reload(launcher);
    }
    if (launcher->upgrade_waits && !providers_are_changing(&launcher->providers)) {
        launcher_upgrade(launcher);
    }
}

void launcher_upgrade_over(struct launcher *launcher, const char *why)
{
    if (why && !launcher->is_stopping) {
        (void)sd_notifyf(0, "STATUS=not upgraded: %s", why);
        launcher_show_refusal(launcher, why, true);
    } else if (launcher->is_refused_upgrade) {
        launcher->refused[0] = '\0'; /* of one before; this broker was not told */
    }
    launcher_go_on(launcher);
}
