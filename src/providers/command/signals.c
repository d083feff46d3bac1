/*
 * signals: the list of what was noticed, bounded, each entry with its place in the content.
 *
 * Rules look at sets of signals, findings point at their places. When the list is full, what comes
 * after is lost and is_incomplete says so.
 */
#include "providers/command/signals.h"

const char *fact_name(enum fact fact)
{
#define FACT_NAME(value, name) name,
    static const char *const names[] = {FACTS(FACT_NAME)};
#undef FACT_NAME

    return fact < FACT_COUNT ? names[fact] : "?";
}

void signals_add(struct signals *signals, unsigned signal, unsigned view, const struct text *text,
                 size_t from, size_t to)
{
    if (signals->n == SIGNALS_MAX) {
        signals->is_incomplete = true;
        return;
    }
    signals->hits[signals->n++] = (struct signal){
        .signal = (uint16_t)signal,
        .view = (uint16_t)view,
        .from = (uint32_t)from,
        .to = (uint32_t)to,
        .span = text_span(text, from, to),
    };
}
