/*
 * Many questions under way at once.
 *
 * A ring of slots in the order of the items: questions start as slots become free, answers are
 * given out from the oldest on, so that output does not depend on who was faster. Memory is bounded
 * by the number of slots.
 *
 * When the service is restarted in mid-question, or holds too much for this user already, the
 * question is put again for a few seconds; after that the failure is the item's result. A service
 * that never answered anything is not waited for.
 *
 * A pipe is passed on while its question is open. When the broker is lost the library sends what it
 * had again to the next one, and goes on; the question as such cannot be put again once more was
 * read than is kept here.
 */
#include "cli/window.h"

#include <poll.h>
#include <time.h>

#include <pes/pes.h>

#include "cli/feed.h"
#include "cli/question.h"

#define PATIENCE_MS 5000
#define RETRY_MS    100
#define FEED_STEPS  64

enum slot_state {
    SLOT_EMPTY = 0,
    SLOT_PUT_OFF, /* to be asked at retry_at_ms */
    SLOT_ASKED,
    SLOT_FED, /* asked, while its content is still coming in */
    SLOT_DONE,
};

struct slot {
    enum slot_state state;
    struct item item;
    uint32_t kind;
    uint64_t sequence;
    struct pes_request *request;
    struct pes_answer *answer;
    int64_t first_ms;
    int64_t retry_at_ms;
};

struct window {
    struct pes_ctx *ctx;
    struct items *items;
    const struct scan_options *options;
    const struct window_callbacks *callbacks;
    struct slot *slots;
    size_t oldest;
    size_t n_used;
    uint64_t n_taken;
    bool is_at_end;
    bool is_starved;   /* the input has nothing for us now */
    bool has_more;     /* ... or it may have more at once */
    int fed_fd;        /* the pipe that is passed on and has nothing for us now, or -1 */
    bool was_answered; /* the service has answered something */
    int64_t ended_ms;  /* when a question ended last */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct slot *slot_at(struct window *window, size_t index)
{
    return &window->slots[(window->oldest + index) % window->options->n_jobs];
}

static void slot_clear(struct slot *slot)
{
    pes_request_free(slot->request);
    pes_answer_close(slot->answer, PES_DID_UNKNOWN);
    item_fini(&slot->item);
    *slot = (struct slot){.item = ITEM_INIT};
}

static void window_fini(struct window *window)
{
    for (size_t i = 0; window->slots && i < window->options->n_jobs; i++) {
        slot_clear(&window->slots[i]);
    }
    free(window->slots);
}

static void put_off(struct slot *slot, uint32_t wait_ms)
{
    slot->state = SLOT_PUT_OFF;
    slot->retry_at_ms = now_ms() + (wait_ms ? wait_ms : RETRY_MS);
}

/* Whether the failure that @answer tells may be over soon. */
static bool may_pass(const struct window *window, const struct slot *slot,
                     const struct pes_answer_info *info)
{
    if (now_ms() - slot->first_ms > PATIENCE_MS) {
        return false;
    }
    if (slot->item.n_fed > slot->item.full_size) {
        return false; /* what was read from a pipe cannot be read again */
    }
    switch (info->error) {
    case -PES_E_QUOTA:
    case -PES_E_NO_MEMORY:
    case -PES_E_BROKER_LOST:
    case -PES_E_NOT_CONNECTED:
        return true;
    case -PES_E_NO_BROKER:
        return window->was_answered;
    default:
        return false;
    }
}

static void slot_take(struct window *window, struct slot *slot)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    struct pes_answer *answer = pes_take_answer(slot->request);

    if (!answer) {
        return;
    }
    pes_request_free(TAKE_PTR(slot->request));
    window->ended_ms = now_ms();
    pes_answer_info(answer, &info);
    if (may_pass(window, slot, &info)) {
        pes_answer_close(answer, PES_DID_UNKNOWN);
        put_off(slot, info.retry_after_ms);
        return;
    }
    if (info.error == 0) {
        window->was_answered = true;
    }
    slot->answer = answer;
    slot->state = SLOT_DONE;
}

/* Whether what kept a question from being made may be over soon. Where it is a quota, our own
 * questions may be what fills it, for as long as they may take. */
static bool may_be_made(struct window *window, const struct slot *slot, int outcome)
{
    int64_t now = now_ms();
    int64_t since = slot->first_ms;

    if (outcome != QUESTION_E_BUSY) {
        return now - since <= PATIENCE_MS;
    }
    for (size_t i = 0; i < window->n_used; i++) {
        if (slot_at(window, i)->state == SLOT_ASKED) {
            return now - since <= PATIENCE_MS + (int64_t)window->options->timeout_ms;
        }
    }
    return now - (since > window->ended_ms ? since : window->ended_ms) <= PATIENCE_MS;
}

/* The question could not be made for now: it is put off while there is hope, then it fails, and
 * only it. Return: 0 or a negative errno. */
static int slot_put_off(struct window *window, struct slot *slot, int outcome)
{
    int error = outcome == QUESTION_E_BUSY ? -PES_E_QUOTA : -PES_E_NO_MEMORY;

    if (may_be_made(window, slot, outcome)) {
        put_off(slot, 0);
        return 0;
    }
    slot->state = SLOT_DONE;
    return item_fail(&slot->item, pes_error_text(error));
}

static int slot_ask(struct window *window, struct slot *slot)
{
    int r = question_new(&slot->request, window->ctx, &slot->item, slot->kind, slot->sequence,
                         window->options);

    if (r == QUESTION_E_BUSY || r == QUESTION_E_NO_ROOM) {
        return slot_put_off(window, slot, r);
    }
    if (r == QUESTION_E_UNREADABLE) {
        slot->state = SLOT_DONE;
        return 0;
    }
    if (r < 0) {
        return r;
    }
    if (pes_start(slot->request) < 0) {
        return -EINVAL; /* a mistake of ours: it was started before */
    }
    slot->item.n_fed = 0;
    slot->state = slot->item.rest_fd >= 0 ? SLOT_FED : SLOT_ASKED;
    slot_take(window, slot);
    return 0;
}

/* Passes on what has come in. Return: 0 or a negative errno. */
static int slot_feed(struct window *window, struct slot *slot)
{
    int r = FEED_E_MORE;

    for (size_t i = 0; r == FEED_E_MORE && i < FEED_STEPS; i++) {
        r = feed_step(&slot->item, slot->request);
    }
    if (r == -ENOMEM) {
        return r;
    }
    if (r < 0) {
        pes_request_free(TAKE_PTR(slot->request)); /* takes it back */
        slot->state = SLOT_DONE;
        return item_fail_errno(&slot->item, -r);
    }
    window->has_more = r == FEED_E_MORE;
    window->fed_fd = r == FEED_E_WAIT ? slot->item.rest_fd : -1;
    window->is_starved = r == FEED_E_WAIT && window->n_used == 1;
    if (r == FEED_E_END || r == FEED_E_ANSWERED) {
        slot->state = SLOT_ASKED;
        slot_take(window, slot);
    }
    return 0;
}

/* Whether standard input is being passed on: then nothing else is read, which may be the same. */
static bool is_feeding(struct window *window)
{
    for (size_t i = 0; i < window->n_used; i++) {
        if (slot_at(window, i)->item.rest_fd >= 0 && slot_at(window, i)->state != SLOT_DONE) {
            return true;
        }
    }
    return false;
}

/* Takes the next item into a free slot. Return: 0, ITEMS_E_END, ITEMS_E_WAIT or a negative errno.
 */
static int slot_fill(struct window *window)
{
    struct slot *slot = slot_at(window, window->n_used);
    int r = items_next(window->items, &slot->item);

    if (r != 0) {
        return r;
    }
    window->n_used++;
    slot->sequence = ++window->n_taken;
    slot->first_ms = now_ms();
    slot->kind = window->options->kind;
    if (slot->item.problem) {
        slot->state = SLOT_DONE;
        return 0;
    }
    if (slot->kind == PES_KIND_NONE) {
        slot->kind = question_kind(&slot->item);
    }
    return slot_ask(window, slot);
}

/* Up to where there is something to give out: a service that does not answer makes each item take
 * a while, and the first one may be the last. */
static int fill(struct window *window)
{
    window->is_starved = false;
    while (!is_feeding(window) && !window->is_at_end && window->n_used < window->options->n_jobs &&
           slot_at(window, 0)->state != SLOT_DONE) {
        int r = slot_fill(window);

        if (r == ITEMS_E_END) {
            window->is_at_end = true;
        } else if (r == ITEMS_E_WAIT) {
            window->is_starved = true;
            break;
        } else if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Takes answers and puts questions again whose time has come. */
static int advance(struct window *window)
{
    window->has_more = false;
    window->fed_fd = -1;
    pes_process(window->ctx);
    for (size_t i = 0; i < window->n_used; i++) {
        struct slot *slot = slot_at(window, i);
        int r;

        switch (slot->state) {
        case SLOT_ASKED:
            slot_take(window, slot);
            break;
        case SLOT_FED:
            slot_take(window, slot);
            r = slot->state == SLOT_FED ? slot_feed(window, slot) : 0;
            if (r < 0) {
                return r;
            }
            break;
        case SLOT_PUT_OFF:
            if (now_ms() >= slot->retry_at_ms) {
                r = slot_ask(window, slot);
                if (r < 0) {
                    return r;
                }
            }
            break;
        case SLOT_EMPTY:
        case SLOT_DONE:
            break;
        }
    }
    return 0;
}

/* Gives out what is complete, from the oldest on. Return: number given out, or -ECANCELED. */
static int emit(struct window *window)
{
    int n_given = 0;

    while (window->n_used > 0 && slot_at(window, 0)->state == SLOT_DONE) {
        struct slot *slot = slot_at(window, 0);
        struct window_result result = {
            .item = &slot->item, .kind = slot->kind, .answer = slot->answer};
        int r = window->callbacks->on_result(&result, window->callbacks->userdata);

        slot_clear(slot);
        window->oldest = (window->oldest + 1) % window->options->n_jobs;
        window->n_used--;
        n_given++;
        if (r > 0) {
            return -ECANCELED;
        }
    }
    return n_given;
}

static int sooner(int a, int b)
{
    if (a < 0 || b < 0) {
        return a < 0 ? b : a;
    }
    return a < b ? a : b;
}

/* What to wait for more input on, or -1. */
static int input_fd(const struct window *window)
{
    if (window->fed_fd >= 0) {
        return window->fed_fd;
    }
    return window->is_starved ? items_fd(window->items) : -1;
}

static void wait_for_something(struct window *window)
{
    struct pollfd fds[2] = {
        {.fd = pes_fd(window->ctx), .events = POLLIN},
        {.fd = input_fd(window), .events = POLLIN},
    };
    int timeout_ms = pes_wait_ms(window->ctx);
    int64_t now = now_ms();

    for (size_t i = 0; i < window->n_used; i++) {
        const struct slot *slot = slot_at(window, i);

        if (slot->state == SLOT_PUT_OFF) {
            int64_t left = slot->retry_at_ms > now ? slot->retry_at_ms - now : 0;

            timeout_ms = sooner(timeout_ms, (int)left);
        }
    }
    timeout_ms = sooner(
        timeout_ms, window->callbacks->on_wait(window->is_starved, window->callbacks->userdata));
    (void)poll(fds, 2, window->has_more ? 0 : timeout_ms);
}

int window_run(struct pes_ctx *ctx, struct items *items, const struct scan_options *options,
               const struct window_callbacks *callbacks)
{
    CLEANUP(window_fini)
    struct window window = {
        .ctx = ctx, .items = items, .options = options, .callbacks = callbacks, .fed_fd = -1};

    window.slots = calloc(options->n_jobs, sizeof(*window.slots));
    if (!window.slots) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < options->n_jobs; i++) {
        window.slots[i].item = (struct item)ITEM_INIT;
    }
    for (;;) {
        int r = fill(&window);

        if (r == 0) {
            r = advance(&window);
        }
        if (r < 0) {
            return r;
        }
        r = emit(&window);
        if (r == -ECANCELED) {
            return 0;
        }
        if (window.is_at_end && window.n_used == 0) {
            return 0;
        }
        if (r == 0) {
            wait_for_something(&window);
        }
    }
}
