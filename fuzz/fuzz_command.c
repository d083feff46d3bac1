/*
 * What a command line or script comes to: any bytes, every decoder, and what flows where.
 *
 * Views must stay within their budgets and point at bytes that the content has; so must every
 * signal. Rules are not part of it: matching is RE2's.
 */
#include <stdint.h>
#include <stdlib.h>

#include "providers/command/flows.h"
#include "providers/command/fold.h"
#include "providers/command/hiding.h"
#include "providers/command/views.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void span_check(struct span span, size_t n_bytes)
{
    if (span.start > span.end || span.end > n_bytes) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static const struct known_addresses known = {NULL, 0};
    static struct flows flows;
    static struct signals signals;
    struct views views = VIEWS_INIT;

    if (fold_init() < 0) {
        abort();
    }
    signals.n = 0;
    views_make(&views, bytes, n_bytes);
    if (views.n > VIEWS_MAX) {
        abort();
    }
    hiding_note(&views, &signals);
    for (size_t i = 0; i < views.n; i++) {
        const struct view *view = &views.views[i];

        if (view->layer > LAYERS_MAX || view->text.n > VIEW_BYTES_MAX ||
            view->plain.n > view->text.n) {
            abort();
        }
        for (size_t b = 0; b < view->text.n; b++) {
            span_check(view->text.spans[b], n_bytes);
        }
        addresses_note(&view->plain, (unsigned)i, &known, &signals);
        flows_note(&flows, &view->plain, (unsigned)i, &known, &signals);
    }
    for (size_t i = 0; i < signals.n; i++) {
        const struct signal *signal = &signals.hits[i];

        span_check(signal->span, n_bytes);
        if (signal->to > views.views[signal->view].text.n || signal->from > signal->to) {
            abort();
        }
    }
    views_fini(&views);
    return 0;
}
