/*
 * One generation of a provider, from its description to its end.
 *
 * A worker that was not in time, was taken back, or said anything but its one answer is ended:
 * nothing it sends later can be taken for an answer to something else, since its channel is gone
 * with it. A generation serves only when it proved no less than the one before: whatever that one
 * objects to of what everybody should, it must, too, unless an administrator said otherwise. How a
 * worker ended is told by init alone; the broken channel only starts the asking. Workers that die
 * without ever having had work are forked again after longer and longer pauses.
 */
#include "broker/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "base/signal_name.h"
#include "base/test_strings.h"
#include "broker/core.h"
#include "broker/question.h"
#include "broker/slot.h"
#include "broker/worker_result.h"

#define RESPAWN_FIRST_US  UINT64_C(10000)
#define RESPAWN_LAST_US   UINT64_C(5000000)
#define EARLY_DEATHS_FREE 3u

#define LACK_BYTES 256
#define REMEDY     "if that is meant, take it with --accept, or switch the provider off and on again"

void instance_free(struct core *core, struct instance *instance)
{
    core_disarm(core, &instance->respawn);
    list_remove(&instance->node);
    handles_clear(&core->instances, instance->handle);
    free(instance);
}

/* Fills empty slots, unless workers die faster than they are of use. */
static void fill_slots(struct core *core, struct instance *instance, uint64_t now_us)
{
    if (instance->state != INSTANCE_READY || heap_node_is_linked(&instance->respawn.node)) {
        return;
    }
    if (instance->n_early_deaths > EARLY_DEATHS_FREE) {
        unsigned shift = instance->n_early_deaths - EARLY_DEATHS_FREE;
        uint64_t pause_us = shift < 10 ? RESPAWN_FIRST_US << shift : RESPAWN_LAST_US;

        pause_us = pause_us > RESPAWN_LAST_US ? RESPAWN_LAST_US : pause_us;
        if (core_arm(core, &instance->respawn, now_us + pause_us) == 0) {
            return;
        }
    }
    for (size_t i = 0; i < instance->n_slots; i++) {
        if (instance->slots[i].state == SLOT_EMPTY) {
            slot_spawn(core, instance, &instance->slots[i]);
        }
    }
    provider_dispatch(core, instance->provider, now_us);
}

void instance_on_timer(struct core *core, struct instance *instance, uint64_t now_us)
{
    unsigned n_early_deaths = instance->n_early_deaths;

    instance->n_early_deaths = 0; /* one try; the next early death makes the pause longer again */
    fill_slots(core, instance, now_us);
    instance->n_early_deaths = n_early_deaths;
}

/* Ends it once nothing runs on it any more. */
static void retire_if_idle(struct core *core, struct instance *instance)
{
    struct provider *provider = instance->provider;
    struct wire_retire retire = {.name = wire_text(provider->name),
                                 .generation = instance->generation};

    for (size_t i = 0; i < instance->n_slots; i++) {
        if (instance->slots[i].part) {
            return;
        }
    }
    action_list_add(core->actions, ACTION_INSTANCE_STOP)->instance = instance->handle;
    action_list_add_message(core->actions, ACTION_LAUNCHER_SEND, WIRE_TYPE_RETIRE, &retire);
    instance_free(core, instance);
}

static void retire(struct core *core, struct instance *instance)
{
    if (instance->state != INSTANCE_RETIRING) {
        instance->state = INSTANCE_RETIRING;
        retire_if_idle(core, instance);
    }
}

void instance_retire_all(struct core *core, struct provider *provider, uint64_t now_us)
{
    LIST_FOR_EACH (node, &provider->waiting) {
        part_finish(core, CONTAINER_OF(node, struct part, node), PES_STATUS_EXCLUDED_BY_POLICY,
                    now_us);
    }
    LIST_FOR_EACH (node, &provider->instances) {
        retire(core, CONTAINER_OF(node, struct instance, node));
    }
    provider->state = PES_PROVIDER_STATE_STARTING; /* when it is wanted again */
    provider->made_room = (struct proof){0};
}

static void set_ready(struct core *core, struct instance *instance,
                      const struct wire_describe *describe, uint64_t now_us)
{
    struct provider *provider = instance->provider;
    char note[LOG_SAFE_BYTES];

    instance->kinds[0] = instance->kinds[1] = 0;
    for (size_t i = 0; i < describe->n_kinds; i++) {
        if (describe->kinds[i] < 128) {
            instance->kinds[describe->kinds[i] / 64] |= UINT64_C(1) << (describe->kinds[i] % 64);
        }
    }
    core_copy_text(instance->version, sizeof(instance->version), describe->version);
    core_copy_text(instance->definitions, sizeof(instance->definitions), describe->definitions);
    core_copy_text(instance->note, sizeof(instance->note), describe->note);
    instance->proof = (struct proof){
        .is_known = true,
        .n_samples = describe->n_samples,
        .test_strings = describe->test_strings,
    };
    provider->made_room = (struct proof){0};
    instance->takes_beginnings = describe->takes_beginnings != 0;
    instance->state = INSTANCE_READY;
    provider->state = PES_PROVIDER_STATE_READY;
    provider->has_kinds = true;
    memcpy(provider->kinds, instance->kinds, sizeof(provider->kinds));
    if (!instance->is_restored) { /* else why the one after it failed is still to be read there */
        memcpy(provider->reason, instance->note, sizeof(provider->reason));
    }
    action_list_log(core->actions, LOG_INFO, EV_PROVIDER_READY,
                    "provider '%s' generation %llu serves%s%s", provider->name,
                    (unsigned long long)instance->generation, instance->note[0] ? ": " : "",
                    log_safe(instance->note, strlen(instance->note), note));
    LIST_FOR_EACH (node, &provider->instances) {
        struct instance *other = CONTAINER_OF(node, struct instance, node);

        if (other->generation < instance->generation) {
            retire(core, other);
        }
    }
    provider_review_waiting(core, provider, now_us);
    fill_slots(core, instance, now_us);
}

/* It cannot be asked: it ends, and whoever serves goes on. */
static void refuse_description(struct core *core, struct instance *instance, uint64_t now_us)
{
    static const char reason[] = "its description cannot be read";
    struct provider *provider = instance->provider;

    action_list_log(core->actions, LOG_ERR, EV_WORKER_PROTOCOL,
                    "provider '%s' generation %llu describes itself in a way that cannot be read; "
                    "it is not used",
                    provider->name, (unsigned long long)instance->generation);
    provider_set_reason(provider, instance->generation, reason, strlen(reason));
    if (!provider_serving(provider)) {
        provider->state = PES_PROVIDER_STATE_FAILED;
        provider_release_waiting(core, provider, now_us);
    }
    retire(core, instance);
}

/* What it does not prove any more that the one before it did, or NULL. */
static const char *find_lack(const struct proof *before, const struct wire_describe *describe,
                             char ret_text[LACK_BYTES])
{
    uint32_t lost = before->test_strings & ~describe->test_strings;

    for (size_t i = 0; i < N_TEST_STRINGS; i++) {
        if (lost >> i & 1) {
            snprintf(ret_text, LACK_BYTES,
                     "it lets the test string %s pass, which the one before objects to; " REMEDY,
                     test_string_name(i));
            return ret_text;
        }
    }
    if (before->n_samples > 0 && describe->n_samples == 0) {
        snprintf(ret_text, LACK_BYTES,
                 "it has no samples to prove itself with, the one before has %u; " REMEDY,
                 before->n_samples);
        return ret_text;
    }
    return NULL;
}

/* It finds less than the one that serves, which goes on, or that made room for it: the launcher
 * loads that one again. */
static void refuse_lack(struct core *core, struct instance *instance, const char *lack)
{
    struct provider *provider = instance->provider;

    action_list_log(
        core->actions, LOG_ERR, EV_PROVIDER_FAILED,
        "generation %llu of provider '%s' is given up, %s: '%s'",
        (unsigned long long)instance->generation, provider->name,
        provider_serving(provider) ? "another one serves" : "the one before is loaded again", lack);
    provider_set_reason(provider, instance->generation, lack, strlen(lack));
    retire(core, instance);
}

static void on_ready(struct core *core, struct instance *instance, const struct event *event,
                     uint64_t now_us)
{
    const struct instance *serving = provider_serving(instance->provider);
    struct wire_fault fault;
    char text[LACK_BYTES];
    const struct proof *before = serving ? &serving->proof : &instance->provider->made_room;
    const char *lack;

    if (instance->state != INSTANCE_LOADING) {
        return; /* said before, to the broker before us or by mistake */
    }
    if (serving && serving->generation >= instance->generation) {
        retire(core, instance); /* a newer one was faster */
        return;
    }
    if (wire_decode(core->scratch, event->bytes, event->n_bytes, &fault) != 0 ||
        core->scratch->type != WIRE_TYPE_DESCRIBE) {
        refuse_description(core, instance, now_us);
        return;
    }
    lack = before->is_known && !instance->is_restored
               ? find_lack(before, &core->scratch->describe, text)
               : NULL;
    if (lack && !instance->is_accepted) {
        refuse_lack(core, instance, lack);
        return;
    }
    if (lack) {
        action_list_log(core->actions, LOG_WARNING, EV_PROVIDER_LESS,
                        "generation %llu of provider '%s' serves though it finds less than the "
                        "one before, as an administrator accepted: '%s'",
                        (unsigned long long)instance->generation, instance->provider->name, lack);
    }
    /* It may have been started under another configuration than the one in force. */
    if (event->init->slot < instance->n_slots) {
        instance->n_slots = event->init->slot;
    }
    set_ready(core, instance, &core->scratch->describe, now_us);
}

static void log_death(struct core *core, struct instance *instance, const struct init_event *init,
                      uint64_t now_us)
{
    struct provider *provider = instance->provider;

    if (!provider_may_log(provider, now_us)) {
        return;
    }
    if (init->how == INIT_EXIT_SIGNAL) {
        action_list_log(
            core->actions, LOG_WARNING, EV_WORKER_DIED,
            "a worker of provider '%s' %s (definitions '%s') died by %s and is replaced",
            provider->name, instance->version, instance->definitions, signal_name(init->value));
    } else {
        action_list_log(core->actions, LOG_WARNING, EV_WORKER_DIED,
                        "a worker of provider '%s' %s (definitions '%s') %s %d and is replaced",
                        provider->name, instance->version, instance->definitions,
                        init->how == INIT_EXIT_STATUS ? "ended with status"
                                                      : "could not be forked, errno",
                        init->value);
    }
}

/* A worker ended unasked: its part, if it had one, ends with it, under its true cause. */
static void on_death(struct core *core, struct instance *instance, struct slot *slot,
                     const struct init_event *init, uint64_t now_us)
{
    struct provider *provider = instance->provider;
    struct part *part = slot->part;
    uint32_t status = init->limit ? PES_STATUS_RESOURCE_LIMIT : PES_STATUS_CRASHED;

    log_death(core, instance, init, now_us);
    if (init->limit) {
        provider->stats.n_limits++;
    } else {
        provider->stats.n_crashes++;
    }
    stats_add_signal(&provider->stats, init->how == INIT_EXIT_SIGNAL ? (uint32_t)init->value : 0);
    if (!part) {
        return;
    }
    slot->part = NULL;
    part->slot = NULL;
    part->cpu_us = init->cpu_us;
    part->limit = init->limit;
    if (init->how == INIT_EXIT_SIGNAL) {
        part->signal = (uint32_t)init->value;
    } else if (init->how == INIT_EXIT_STATUS) {
        part->exit_status = 256u + (uint32_t)(init->value & 0xff);
    } else {
        status = PES_STATUS_RESTARTING;
    }
    part_finish(core, part, status, now_us);
}

/*
 * Processor time counts as answers state it, so that the report is up to date, and is put right
 * when the worker has ended and init has told its true time.
 */
static void state_cpu(struct provider *provider, struct slot *slot, uint64_t cpu_us,
                      uint64_t wall_us)
{
    cpu_us = cpu_us < wall_us ? cpu_us : wall_us; /* it has one thread */
    slot->cpu_us += cpu_us;
    provider->stats.cpu_us += cpu_us;
}

static void settle_cpu(struct provider *provider, struct slot *slot, uint64_t cpu_us)
{
    provider->stats.cpu_us = provider->stats.cpu_us - slot->cpu_us + cpu_us;
    slot->cpu_us = 0;
}

static void on_exited(struct core *core, struct instance *instance, const struct event *event,
                      uint64_t now_us)
{
    struct slot *slot = &instance->slots[event->init->slot];
    bool was_killed = slot->state == SLOT_DYING && !slot->is_broken;
    bool was_early = !was_killed && slot->n_scans == 0;
    struct action *action = action_list_add(core->actions, ACTION_WORKER_CLOSE);

    action->instance = instance->handle;
    action->slot = slot->index;
    action->generation = slot->generation;
    settle_cpu(instance->provider, slot, event->init->cpu_us);
    if (!was_killed) {
        on_death(core, instance, slot, event->init, now_us);
    }
    slot->state = SLOT_EMPTY;
    slot->part = NULL;
    /* A worker that died of its first scan is not early: content did it. One that never got any
     * is. */
    instance->n_early_deaths = was_early && !slot->has_uid ? instance->n_early_deaths + 1 : 0;
    if (instance->state == INSTANCE_RETIRING) {
        retire_if_idle(core, instance);
    } else {
        fill_slots(core, instance, now_us);
    }
}

void instance_on_init(struct core *core, struct instance *instance, const struct event *event,
                      uint64_t now_us)
{
    struct provider *provider = instance->provider;
    const struct init_event *init = event->init;
    struct slot *slot = NULL;

    if (init->type == INIT_SPAWNED || init->type == INIT_EXITED) {
        slot = init->slot < instance->n_slots ? &instance->slots[init->slot] : NULL;
        if (!slot || slot->state == SLOT_EMPTY || slot->generation != init->generation) {
            return; /* of a worker that the broker before us had */
        }
    }
    switch ((enum init_event_type)init->type) {
    case INIT_READY:
        on_ready(core, instance, event, now_us);
        return;
    case INIT_FAILED:
        /* The launcher says when it will be tried again; what matters here is the reason. */
        provider_set_reason(provider, instance->generation, (const char *)event->bytes,
                            event->n_bytes);
        return;
    case INIT_SPAWNED:
        slot->state = slot->state == SLOT_SPAWNING ? SLOT_LIVE : slot->state;
        return;
    case INIT_EXITED:
        on_exited(core, instance, event, now_us);
        return;
    }
}

/* Everything that ran on it has lost its worker; what became of it, nobody can say any more. */
static void fail_parts(struct core *core, struct instance *instance, uint64_t now_us)
{
    for (size_t i = 0; i < instance->n_slots; i++) {
        struct part *part = instance->slots[i].part;

        instance->slots[i].state = SLOT_EMPTY;
        instance->slots[i].part = NULL;
        if (part) {
            part->slot = NULL;
            part_finish(core, part, PES_STATUS_RESTARTING, now_us);
        }
    }
}

void instance_on_init_closed(struct core *core, struct instance *instance, uint64_t now_us)
{
    struct provider *provider = instance->provider;
    bool was_serving = instance->state == INSTANCE_READY;

    action_list_add(core->actions, ACTION_INSTANCE_STOP)->instance = instance->handle;
    instance->state = INSTANCE_RETIRING;
    if (was_serving) {
        provider->ended_generation = instance->generation;
        provider->ended_proof = instance->proof;
        provider->state = PES_PROVIDER_STATE_RESTARTING;
        provider->stats.n_restarts++;
        provider_release_waiting(core, provider, now_us);
    }
    fail_parts(core, instance, now_us);
    instance_free(core, instance);
}

void instance_on_worker_message(struct core *core, struct instance *instance,
                                const struct event *event, uint64_t now_us)
{
    struct slot *slot = event->slot < instance->n_slots ? &instance->slots[event->slot] : NULL;
    struct provider *provider = instance->provider;
    struct part *part;
    int r;

    if (!slot || slot->generation != event->generation ||
        (slot->state != SLOT_LIVE && slot->state != SLOT_SPAWNING)) {
        return; /* too late: its part was answered without it */
    }
    part = slot->part;
    r = part ? worker_result_take(core, part, event->bytes, event->n_bytes)
             : WORKER_RESULT_E_INVALID;
    if (r != 0) {
        provider->stats.n_protocol_errors++;
        if (provider_may_log(provider, now_us)) {
            action_list_log(
                core->actions, LOG_WARNING, EV_WORKER_PROTOCOL,
                "a worker of provider '%s' %s sent what is not an answer%s and is replaced",
                provider->name, instance->version, part ? "" : " to anything");
        }
        slot_kill(core, instance, slot);
        slot->part = NULL;
        if (part) {
            part->slot = NULL;
            part_finish(core, part, PES_STATUS_PROTOCOL_ERROR, now_us);
        }
        return;
    }
    slot->part = NULL;
    part->slot = NULL;
    slot->n_scans++;
    state_cpu(provider, slot, part->cpu_us, now_us - part->started_us);
    part_finish(core, part, PES_STATUS_OK, now_us);
    if (instance->state == INSTANCE_RETIRING) {
        retire_if_idle(core, instance);
        return;
    }
    if (provider->scans_per_worker && slot->n_scans >= provider->scans_per_worker) {
        slot_kill(core, instance, slot);
    }
    provider_dispatch(core, provider, now_us);
}

void instance_on_worker_closed(struct core *core, struct instance *instance,
                               const struct event *event)
{
    struct slot *slot = event->slot < instance->n_slots ? &instance->slots[event->slot] : NULL;

    if (!slot || slot->generation != event->generation || slot->state == SLOT_EMPTY ||
        slot->state == SLOT_DYING) {
        return;
    }
    /* It is dead, dying or lying. A kill changes nothing for the first two: their cause of death is
     * settled. */
    slot_kill(core, instance, slot);
    slot->is_broken = true;
}
