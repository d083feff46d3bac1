/*
 * Binary min-heap of nodes that live inside their owners, for deadlines.
 *
 * The heap holds pointers, grows its array by itself and owns nothing else. A node knows its place,
 * so that any of them can be removed in O(log n). Nodes with equal keys come in no fixed order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct heap_node {
    uint64_t key;
    size_t index; /* where it is, from 1; 0 while it is in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t n;
    size_t capacity;
};

#define HEAP_INIT      ((struct heap){0})
#define HEAP_NODE_INIT ((struct heap_node){0})

/* Frees the array; the nodes that were in it are in no heap then. */
void heap_fini(struct heap *heap);

/* Makes room so that pushes up to `n` nodes in all cannot fail. Returns 0 or -ENOMEM. */
MUST_CHECK int heap_reserve(struct heap *heap, size_t n);

/* Adds a node that is in no heap. Returns 0 or -ENOMEM. */
MUST_CHECK int heap_push(struct heap *heap, struct heap_node *node);

/* Takes a node out; nothing happens if it is in none. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* Gives a node of this heap another key. */
void heap_update(struct heap *heap, struct heap_node *node, uint64_t key);

static inline bool heap_node_is_linked(const struct heap_node *node)
{
    return node->index != 0;
}

/* The node with the smallest key, NULL when there is none. */
static inline struct heap_node *heap_first(const struct heap *heap)
{
    return heap->n > 0 ? heap->nodes[0] : NULL;
}
