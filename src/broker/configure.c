/*
 * What the launcher tells the broker: its whole configuration, generations of providers that came
 * and went, and when to end. The launcher is trusted; a message of its that cannot be read is a
 * fault of ours, and is logged and left.
 *
 * A configuration replaces the one before in one step. A provider keeps its row as long as it can,
 * since the bits of the unfinished-set table and everybody's sums hang on it; after it was removed,
 * a new one may get it once no open question asks the old one. There are as many rows as providers
 * may be configured. Should all that are free still be asked, the broker ends and is started anew
 * rather than go on without one that is configured.
 */
#include "broker/configure.h"

#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"
#include "broker/core.h"
#include "broker/instance.h"
#include "broker/session.h"
#include "broker/stream.h"

/* How long questions may go on for which the broker has to end. */
#define MAKE_ROOM_MS 5000u

/* Another provider will have the row: nothing of this one may be taken for its. */
static void forget_provider(struct core *core, struct provider *provider)
{
    uint32_t index = provider->index;

    stats_forget_provider(&core->stats, index);
    for (size_t i = 1; i < core->sessions.n_items; i++) {
        struct session *session = core->sessions.items[i];

        for (size_t j = 0; session && j < SESSION_MEMORY; j++) {
            session->memory[j].found_mask &= ~(1u << index);
        }
    }
    core_disarm(core, &provider->kept);
    provider_init(provider, index);
}

/* A row for a new name: one that nobody ever had, else one that was left; or NULL. */
static struct provider *new_row(struct core *core, struct wire_bytes name)
{
    struct provider *row = NULL;

    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        struct provider *provider = &core->providers[i];

        if (!provider->is_used) {
            row = provider;
            break;
        }
        if (!row && !provider->is_configured && provider->n_parts == 0 &&
            list_is_empty(&provider->instances)) {
            row = provider;
        }
    }
    if (!row) {
        return NULL;
    }
    if (row->is_used) {
        forget_provider(core, row);
    }
    row->is_used = true;
    row->state = PES_PROVIDER_STATE_STARTING;
    core_copy_text(row->name, sizeof(row->name), name);
    return row;
}

static void configure_provider(struct provider *provider, const struct wire_config_provider *config)
{
    provider->is_configured = true;
    provider->is_off = config->is_off;
    provider->is_advisory = config->is_advisory;
    provider->is_unsigned = config->is_unsigned;
    provider->n_workers = config->n_workers < 1                    ? 1
                          : config->n_workers > PROVIDER_SLOTS_MAX ? PROVIDER_SLOTS_MAX
                                                                   : config->n_workers;
    provider->timeout_ms = config->timeout_ms;
    provider->scans_per_worker = config->scans_per_worker;
    provider->mode = config->mode;
}

static void drain(struct core *core, uint32_t grace_ms, uint64_t now_us)
{
    core->is_draining = true;
    action_list_add(core->actions, ACTION_ADMIT_NONE);
    for (size_t i = 1; i < core->sessions.n_items; i++) {
        struct session *session = core->sessions.items[i];

        if (session) {
            core_send_goaway(core, session);
            stream_end_all(core, session, now_us);
        }
    }
    if (core_arm(core, &core->drain_timer, now_us + (uint64_t)grace_ms * 1000u) < 0) {
        core->is_grace_over = true;
    }
}

/* Who is there already first, then who has to go, and then the new ones in what is left. */
static void configure_providers(struct core *core, const struct wire_configure *configure,
                                uint64_t now_us)
{
    struct provider *rows[PROVIDERS_MAX] = {0};
    bool has_all = true;

    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        core->providers[i].is_configured = false;
    }
    for (size_t i = 0; i < configure->n_providers; i++) {
        const struct wire_bytes name = configure->providers[i].name;

        rows[i] = core_find_provider(core, (const char *)name.data, name.size);
        if (rows[i]) {
            configure_provider(rows[i], &configure->providers[i]);
        }
    }
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        struct provider *provider = &core->providers[i];

        if (provider->is_used && (!provider->is_configured || provider->is_off)) {
            instance_retire_all(core, provider, now_us);
        }
    }
    for (size_t i = 0; i < configure->n_providers; i++) {
        if (rows[i]) {
            continue;
        }
        rows[i] = new_row(core, configure->providers[i].name);
        if (rows[i]) {
            configure_provider(rows[i], &configure->providers[i]);
        } else {
            has_all = false;
        }
    }
    if (!has_all && !core->is_draining) {
        action_list_log(core->actions, LOG_WARNING, EV_CONFIG_APPLIED,
                        "more than %d providers with those that were removed and are still asked: "
                        "the broker ends, and starts anew with those that are configured",
                        PROVIDERS_MAX);
        drain(core, MAKE_ROOM_MS, now_us);
    }
}

static void configure_policy(struct policy *policy, const struct wire_configure *configure)
{
    policy->mode = configure->mode ? configure->mode : (uint32_t)PES_MODE_OBSERVE;
    policy->fail_execution =
        configure->fail_execution ? configure->fail_execution : (uint32_t)PES_FAIL_WISH_WARN;
    policy->fail_other =
        configure->fail_other ? configure->fail_other : (uint32_t)PES_FAIL_WISH_ALLOW;
    policy->n_rules = configure->n_rules;
    for (size_t i = 0; i < configure->n_rules; i++) {
        core_copy_text(policy->rules[i].kind, sizeof(policy->rules[i].kind),
                       configure->rules[i].kind);
        core_copy_text(policy->rules[i].app, sizeof(policy->rules[i].app), configure->rules[i].app);
        policy->rules[i].mode = configure->rules[i].mode;
        policy->rules[i].fail = configure->rules[i].fail;
    }
}

static void on_configure(struct core *core, const struct wire_configure *configure, uint64_t now_us)
{
    configure_policy(&core->policy, configure);
    core->config_generation = configure->generation;
    core->is_system = configure->is_system;
    core->allows_unsigned = configure->allows_unsigned;
    core->owner_uid_plus_1 = configure->owner_uid;
    core->max_content_bytes =
        configure->max_content_bytes ? configure->max_content_bytes : CORE_MAX_CONTENT_BYTES;
    core->default_timeout_ms = configure->default_timeout_ms ? configure->default_timeout_ms : 5000;
    core->max_in_flight = configure->max_in_flight_per_uid ? configure->max_in_flight_per_uid : 256;
    core->quota.limit[QUOTA_SESSIONS] =
        configure->max_sessions_per_uid ? configure->max_sessions_per_uid : 64;
    core->quota.limit[QUOTA_QUESTIONS] = core->max_in_flight;
    core->quota.limit[QUOTA_BYTES] =
        configure->max_bytes_per_uid ? configure->max_bytes_per_uid : UINT64_C(256) << 20;
    core_copy_text(core->tier, sizeof(core->tier), configure->tier);
    core_copy_text(core->fd_guard, sizeof(core->fd_guard), configure->fd_guard);
    core->config_error[0] = '\0';
    configure_providers(core, configure, now_us);
    core->is_configured = true;
}

static void on_instance(struct core *core, const struct wire_instance *message, uint32_t handle)
{
    struct provider *provider =
        core_find_provider(core, (const char *)message->name.data, message->name.size);

    if (handle == 0) {
        return; /* the shell has said why */
    }
    if (!provider || provider_add_instance(core, provider, handle, message) < 0) {
        action_list_log(core->actions, LOG_ERR, EV_INTERNAL,
                        "a generation of an unknown provider was dropped");
        action_list_add(core->actions, ACTION_INSTANCE_STOP)->instance = handle;
    }
}

/* It is no failure that the one that serves has to go, and what it showed is kept to compare. */
static void make_room(struct core *core, struct provider *provider,
                      const struct wire_instance_lost *message, uint64_t now_us)
{
    const struct instance *serving = provider_serving(provider);

    if (serving && serving->generation == message->generation) {
        provider->made_room = serving->proof;
    } else if (provider->ended_generation == message->generation) {
        provider->made_room = provider->ended_proof; /* its end was heard of before its reason */
    }
    provider_lost_instance(core, provider, message->generation, "", true, now_us);
    if (!provider_serving(provider)) {
        safe_text(provider->reason, sizeof(provider->reason), (const char *)message->reason.data,
                  message->reason.size);
    }
}

static void on_instance_lost(struct core *core, const struct wire_instance_lost *message,
                             uint64_t now_us)
{
    struct provider *provider =
        core_find_provider(core, (const char *)message->name.data, message->name.size);
    char reason[PROVIDER_REASON_BYTES + 1];

    if (provider && message->makes_room) {
        make_room(core, provider, message, now_us);
    } else if (provider) {
        core_copy_text(reason, sizeof(reason), message->reason);
        provider_lost_instance(core, provider, message->generation, reason,
                               message->retry_in_ms > 0, now_us);
    }
}

void configure_on_message(struct core *core, const struct event *event, uint64_t now_us)
{
    struct wire_frame *frame = core->frame;
    struct wire_fault fault = {0};
    int r = wire_decode(frame, event->bytes, event->n_bytes, &fault);

    if (r != 0) {
        action_list_log(core->actions, LOG_ERR, EV_INTERNAL,
                        "a message of the launcher cannot be read: %s at byte %zu",
                        wire_outcome_text(r), fault.offset);
        return;
    }
    if (frame->type == WIRE_TYPE_CONFIGURE) {
        on_configure(core, &frame->configure, now_us);
    } else if (frame->type == WIRE_TYPE_INSTANCE) {
        on_instance(core, &frame->instance, event->instance);
    } else if (frame->type == WIRE_TYPE_INSTANCE_LOST) {
        on_instance_lost(core, &frame->instance_lost, now_us);
    } else if (frame->type == WIRE_TYPE_CONFIG_NOTE) {
        core_copy_text(core->config_error, sizeof(core->config_error), frame->config_note.error);
    } else if (frame->type == WIRE_TYPE_DRAIN) {
        drain(core, frame->drain.grace_ms, now_us);
    } else {
        action_list_log(core->actions, LOG_ERR, EV_INTERNAL,
                        "the launcher sent message type %u, which is not its to send",
                        (unsigned)frame->type);
    }
}

void configure_review_readiness(struct core *core)
{
    struct wire_ready ready = {0};

    if (core->said_ready || !core->is_configured) {
        return;
    }
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        const struct provider *provider = &core->providers[i];

        if (!provider->is_configured || provider->is_off) {
            continue;
        }
        if (provider_serving(provider)) {
            ready.n_ready++;
        } else if (provider->state == PES_PROVIDER_STATE_FAILED) {
            ready.n_failed++;
        } else {
            return;
        }
    }
    core->said_ready = true;
    action_list_add_message(core->actions, ACTION_LAUNCHER_SEND, WIRE_TYPE_READY, &ready);
}
