/*
 * What happens between the parts of the launcher.
 *
 * The broker is told everything through one channel: the configuration, then every generation of
 * every provider. A new broker is told the same anew.
 */
#include "launcher/launcher.h"

#include <stdio.h>
#include <string.h>

#include "launcher/off.h"
#include "log/log.h"
#include "wire/codec.h"

static struct wire_bytes text_or_none(const char *text)
{
    return text ? wire_text(text) : (struct wire_bytes){NULL, 0};
}

static void configure_providers(const struct config *config, struct wire_configure *message)
{
    for (size_t i = 0; i < config->n_providers; i++) {
        const struct config_provider *provider = &config->providers[i];

        message->providers[message->n_providers++] = (struct wire_config_provider){
            .name = wire_text(provider->name),
            .n_workers = (uint32_t)provider->n_workers,
            .timeout_ms = (uint32_t)provider->timeout_ms,
            .mode = (uint32_t)provider->mode,
            .is_unsigned = 1, /* signatures are not read yet */
            .is_off = !provider->is_enabled,
            .is_advisory = (uint32_t)provider->is_advisory,
            .scans_per_worker = (uint32_t)provider->scans_per_worker,
        };
    }
}

/* A configured mode as it is while pes is switched off; none stays none. */
static uint32_t mode_now(const struct launcher *launcher, uint64_t mode)
{
    return launcher->is_off && mode != PES_MODE_NONE ? (uint32_t)PES_MODE_OBSERVE : (uint32_t)mode;
}

static void configure_rules(const struct launcher *launcher, struct wire_configure *message)
{
    const struct config *config = &launcher->config;

    for (size_t i = 0; i < config->n_rules; i++) {
        const struct config_rule *rule = &config->rules[i];

        message->rules[message->n_rules++] = (struct wire_config_rule){
            .kind = text_or_none(rule->kind),
            .app = text_or_none(rule->app),
            .mode = mode_now(launcher, rule->mode),
            .fail = (uint32_t)rule->fail,
        };
    }
}

static void configure(struct launcher *launcher, struct broker_link *link)
{
    const struct config *config = &launcher->config;
    struct wire_configure message = {
        .generation = launcher->config_generation,
        .mode = mode_now(launcher, config->mode),
        .fail_execution = (uint32_t)config->fail_execution,
        .fail_other = (uint32_t)config->fail_other,
        .max_content_bytes = config->max_content_bytes,
        .max_sessions_per_uid = (uint32_t)config->max_sessions_per_uid,
        .max_in_flight_per_uid = (uint32_t)config->max_in_flight_per_uid,
        .max_bytes_per_uid = config->max_bytes_per_uid,
        .default_timeout_ms = (uint32_t)config->default_timeout_ms,
        .is_system = launcher->place.is_system,
        .allows_unsigned = (uint32_t)config->allows_unsigned,
        .tier = wire_text(launcher->tier),
        .fd_guard = wire_text(launcher->has_receiver ? "a process per connection"
                                                     : "kernel (SO_PASSRIGHTS)"),
        .owner_uid = 1 + launcher->owner_uid,
    };

    configure_providers(config, &message);
    configure_rules(launcher, &message);
    broker_link_configure(link, &message);
}

void launcher_configure(struct launcher *launcher)
{
    configure(launcher, front_link(launcher->front));
}

static void on_connected(void *userdata, struct broker_link *link, bool is_beside)
{
    struct launcher *launcher = userdata;

    configure(launcher, link);
    if (launcher->refused[0] && !(is_beside && launcher->is_refused_upgrade)) {
        broker_link_config_note(link, launcher->refused);
    }
    providers_announce(&launcher->providers, link, is_beside);
}

void launcher_show_refusal(struct launcher *launcher, const char *why, bool is_upgrade)
{
    snprintf(launcher->refused, sizeof(launcher->refused), "%s%s", is_upgrade ? "upgrade: " : "",
             why);
    launcher->is_refused_upgrade = is_upgrade;
    broker_link_config_note(front_link(launcher->front), launcher->refused);
}

static void on_upgrade_over(void *userdata, const char *why)
{
    launcher_upgrade_over(userdata, why);
}

static void on_ready(void *userdata, const struct wire_ready *message)
{
    launcher_notify_ready(userdata, message->n_ready, message->n_failed);
}

static void on_retire(void *userdata, const char *name, uint64_t generation)
{
    struct launcher *launcher = userdata;

    providers_retire(&launcher->providers, name, generation);
}

static void on_drained(void *userdata)
{
    struct launcher *launcher = userdata;

    launcher->is_drained = true;
    launcher_stop_progress(launcher);
}

static const struct front_handlers front_handlers = {
    .on_connected = on_connected,
    .on_ready = on_ready,
    .on_retire = on_retire,
    .on_drained = on_drained,
    .on_upgrade_over = on_upgrade_over,
};

static struct broker_link *link_of_launcher(void *userdata)
{
    struct launcher *launcher = userdata;

    return front_link(launcher->front);
}

static void on_generation_changed(void *userdata)
{
    struct launcher *launcher = userdata;

    if (launcher->is_stopping) {
        launcher_stop_progress(launcher);
    } else {
        (void)providers_sweep(&launcher->providers);
        launcher_go_on(launcher);
    }
}

int launcher_start(struct launcher *launcher)
{
    struct front_place front_place = {
        .event = launcher->event,
        .paths = &launcher->paths,
        .sockets = &launcher->sockets,
        .config = &launcher->config,
        .is_system = launcher->place.is_system,
        .has_receiver = launcher->has_receiver,
    };
    int tier = sandbox_tier_text(launcher->tier);
    int r;

    launcher->providers.place = (struct provider_place){
        .event = launcher->event,
        .paths = &launcher->paths,
        .config = &launcher->config,
        .config_folder = launcher->place.folder,
        .is_system = launcher->place.is_system,
        .tier = tier,
        .link = link_of_launcher,
        .on_changed = on_generation_changed,
        .userdata = launcher,
    };
    launcher->config_generation = 1;
    r = front_new(&launcher->front, &front_place, &front_handlers, launcher);
    if (r == 0) {
        r = off_watch(launcher);
    }
    if (r == 0) {
        launcher_notify_starting(launcher);
        providers_apply(&launcher->providers);
    }
    return r;
}
