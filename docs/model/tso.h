/* x86-TSO in Promela: one FIFO store buffer per process, drained at any time by its Flush process; a load reads the
 * newest own buffered value, else memory; a locked operation (XCHG, RMW_ADD) waits for the own buffer to drain and acts
 * on memory, which makes it the sequentially consistent operation and the full barrier that it is on x86.
 *
 * -DWEAK: stores to different words leave the buffer in any order, except over a release store (PSO + C++ release):
 * shows which stores must be release.  Loads are never reordered: orders of loads are reasoned (README.md).
 *
 * The model defines NB (buffers), NA (words) and ON_COMMIT(address, value), a ghost check for every store that reaches
 * memory. */
#ifndef K
#define K 4 /* places in a store buffer */
#endif
typedef Buf {
  byte a[K];
  byte v[K];
  bool r[K];
  byte n
};
Buf sb[NB];
byte mem[NA];
hidden byte _i;
#define DRAINED(p) (sb[p].n == 0)
inline STORE_(p, addr, val, rel) {
  d_step {
    sb[p].n < K->sb[p].a[sb[p].n] = addr;
    sb[p].v[sb[p].n] = val;
    sb[p].r[sb[p].n] = rel;
    sb[p].n++
  }
}
#define STORE(p, addr, val) STORE_(p, addr, val, 0)   /* relaxed */
#define STORE_R(p, addr, val) STORE_(p, addr, val, 1) /* release */
inline LOAD(p, addr, dst) {
  d_step {
    dst = mem[addr];
    _i = 0;
    do ::_i < sb[p].n->if ::sb[p].a[_i] == (addr)->dst = sb[p].v[_i] ::else fi;
    _i++ ::else->break od;
    _i = 0
  }
}
inline XCHG(p, addr, val) {
  d_step {
    DRAINED(p)->mem[addr] = val;
    ON_COMMIT(addr, val)
  }
} /* seq_cst */
inline RMW_ADD(p, addr, d, res) {
  d_step {
    DRAINED(p)->res = mem[addr];
    mem[addr] = mem[addr] + d
  }
} /* seq_cst */
proctype Flush(byte p) {
  byte i, j;
  bool ok;
endf:
  do ::atomic {
      sb[p].n > 0->i = 0;
#ifdef WEAK
      do ::i + 1 < sb[p].n->i++ ::break od;
      ok = 1;
      j = 0;
      if
        ::i > 0 && sb[p].r[i]->ok = 0 ::else fi;
      do ::j < i->if ::sb[p].a[j] == sb[p].a[i]->ok = 0 ::else fi;
      j++ ::else->break od;
      if
        ::!ok->i = 0 ::else fi;
      j = 0;
      ok = 0;
#endif
      d_step {
        mem[sb[p].a[i]] = sb[p].v[i];
        ON_COMMIT(sb[p].a[i], sb[p].v[i]);
        _i = i;
        do ::_i + 1 < sb[p].n->sb[p].a[_i] = sb[p].a[_i + 1];
        sb[p].v[_i] = sb[p].v[_i + 1];
        sb[p].r[_i] = sb[p].r[_i + 1];
        _i++ ::else->break od;
        sb[p].a[_i] = 0;
        sb[p].v[_i] = 0;
        sb[p].r[_i] = 0;
        sb[p].n--;
        _i = 0;
        i = 0
      }
    }
  od
}
