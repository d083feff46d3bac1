/* The actions that one step asks for, in order, with the messages that go with them. */
#pragma once

#include <stdarg.h>

#include "broker/event.h"
#include "wire/codec.h"

struct action_list {
    struct action *items;
    size_t n_items;
    size_t capacity;
    uint8_t *bytes; /* messages, one after the other */
    size_t n_bytes;
    size_t bytes_capacity;
    bool is_broken; /* memory ran out: what was asked is incomplete, the process must end */
};

#define ACTION_LIST_INIT                                                                           \
    {                                                                                              \
        0                                                                                          \
    }

void action_list_fini(struct action_list *list);

/* Empties the list and keeps its memory. */
void action_list_reset(struct action_list *list);

/* Appends a zeroed action. The pointer holds until the next call. Never NULL (see is_broken). */
struct action *action_list_add(struct action_list *list, enum action_type type);

/* Appends an action that carries a message. A message over its own limits is our mistake: it is
 * dropped and the list broken. */
struct action *action_list_add_message(struct action_list *list, enum action_type type,
                                       enum wire_type message_type, const void *message);

/* Appends a log line. */
void action_list_log(struct action_list *list, int priority, enum log_event_id event,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
