#!/bin/bash
# Runs a program that GCC 12's sanitizers instrumented. Their run-time libraries
# place shadow memory at fixed addresses, and on a kernel that randomises more than
# 28 bits of mmap (vm.mmap_rnd_bits) they now and then find them taken. Only there,
# run without address randomisation, if the machine lets us.
bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
if ((bits > 28)) && setarch --addr-no-randomize true 2>/dev/null; then
  exec setarch --addr-no-randomize "$@"
fi
exec "$@"
