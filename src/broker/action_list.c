/*
 * The actions of one step.
 *
 * The list is emptied, not freed, between steps, so that a broker at work does not allocate here at
 * all. Running out of memory while an answer is put together would leave somebody without one; such
 * a list is marked broken and the shell ends the process, which the launcher starts again. Nobody
 * is left waiting for a broken promise.
 */
#include "broker/action_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void action_list_fini(struct action_list *list)
{
    free(list->items);
    free(list->bytes);
    *list = (struct action_list)ACTION_LIST_INIT;
}

void action_list_reset(struct action_list *list)
{
    list->n_items = 0;
    list->n_bytes = 0;
}

struct action *action_list_add(struct action_list *list, enum action_type type)
{
    static struct action nowhere;
    struct action *action;

    if (list->n_items == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct action *items = reallocarray(list->items, capacity, sizeof(*items));

        if (!items) {
            list->is_broken = true;
            return &nowhere;
        }
        list->items = items;
        list->capacity = capacity;
    }
    action = &list->items[list->n_items++];
    *action = (struct action){.type = type};
    return action;
}

/* Makes room for one more message of any size. */
static bool reserve(struct action_list *list)
{
    size_t wanted = list->n_bytes + WIRE_MESSAGE_BYTES_MAX;
    size_t capacity = list->bytes_capacity ? list->bytes_capacity : WIRE_MESSAGE_BYTES_MAX * 2;
    uint8_t *bytes;

    if (wanted <= list->bytes_capacity) {
        return true;
    }
    while (capacity < wanted) {
        capacity *= 2;
    }
    bytes = realloc(list->bytes, capacity);
    if (!bytes) {
        list->is_broken = true;
        return false;
    }
    list->bytes = bytes;
    list->bytes_capacity = capacity;
    return true;
}

struct action *action_list_add_message(struct action_list *list, enum action_type type,
                                       enum wire_type message_type, const void *message)
{
    struct action *action = action_list_add(list, type);
    size_t n_bytes = 0;

    if (!reserve(list)) {
        return action;
    }
    if (wire_encode(message_type, message, list->bytes + list->n_bytes, WIRE_MESSAGE_BYTES_MAX,
                    &n_bytes) != 0) {
        list->is_broken = true;
        return action;
    }
    action->message = list->n_bytes;
    action->n_message = n_bytes;
    list->n_bytes += n_bytes;
    return action;
}

void action_list_log(struct action_list *list, int priority, enum log_event_id event,
                     const char *format, ...)
{
    struct action *action = action_list_add(list, ACTION_LOG);
    va_list args;
    int n;

    action->priority = priority;
    action->log = event;
    if (!reserve(list)) {
        return;
    }
    va_start(args, format);
    n = vsnprintf((char *)list->bytes + list->n_bytes, 1024, format, args);
    va_end(args);
    action->message = list->n_bytes;
    action->n_message = n < 0 ? 0 : (n > 1023 ? 1023 : (size_t)n);
    list->n_bytes += action->n_message + 1;
}
