/*
 * What broker and pes-identity say to each other, one fixed-size message per datagram
 * (SOCK_SEQPACKET).
 *
 * The broker sends a pidfd that the kernel gave it for a connection; identity answers what process
 * that is.
 */
#pragma once

#include <stdint.h>

#define IDENTITY_CHANNEL_VERSION 2

/* Broker to identity; carries one descriptor, a pidfd. */
struct identity_query {
    uint32_t version; /* IDENTITY_CHANNEL_VERSION */
    uint32_t pid;     /* as SO_PEERCRED said */
    uint64_t session; /* echoed */
};

/* Identity to broker. Texts are terminated, empty when not known. */
struct identity_record {
    uint32_t version;
    int32_t error; /* 0, or an errno: nothing is known (the process may have ended) */
    uint64_t session;
    uint64_t is_own;     /* 1: it is pesd, or descends from it */
    uint64_t start_time; /* clock ticks after boot */
    uint64_t exe_device;
    uint64_t exe_inode;
    char exe_path[512];
    char cgroup[256];
    char lsm_label[128];
};
