/* What a joined subscriber is owed by a publisher whose segment it has not attached to yet.  (Sequentially consistent.)
 * Subscriber S has joined and then does nothing for a while (its application is elsewhere).  Publisher P makes its
 * segment, raises the epoch, sees that S has joined (wait_for_subscribers), publishes, and leaves or dies anywhere.
 * A janitor, P's own close or any later join, may come at any time.  Then S looks.
 * Promise: if P had counted S and published, S reads it.
 * Rule: P stores `born`, the epoch that its join has made; S stores `listed`, the epoch it had read before the last
 * listing that it has completed, attachments included.  A janitor that holds both locks keeps the segment while a living,
 * joined subscriber has listed < born.   A reader that finds the lock taken looks at the name again and retries: the
 * janitor may have decided to keep.  Ghost: owed. */
byte epoch = 1, born, listed;
bool joined, named, plock, rlock, jlock[2], owed, gone, ended;
#define JANITOR (jlock[0] || jlock[1])
proctype Pub() { byte e;
  { plock = 1; named = 1;                            /* linked complete and locked */
    atomic { epoch++; e = epoch }; born = e;         /* fetch_add, then the store */
    if :: joined -> owed = 1                         /* counts S, then publishes */
       :: !joined
    fi;
    gone }
  unless { gone -> plock = 0; ended = 1 } }
inline look() {                                      /* lists the publishers and attaches to those it does not know */
  cached = epoch;
#ifdef LISTED_FIRST                                  /* planted: says that it has listed before it has attached */
  listed = cached;
#endif
  do
  :: named && !attached ->
     if
     :: atomic { !JANITOR -> rlock = 1 };
        if :: named -> attached = 1; break :: else -> rlock = 0; break fi
     :: JANITOR ->
#ifdef GIVE_UP                                       /* planted: takes a busy janitor for the end of the segment */
        break
#endif
     fi
  :: else -> break
  od;
#ifndef LISTED_FIRST
  listed = cached
#endif
}
proctype Sub() { byte cached; bool attached;
  epoch++; look(); joined = 1;
  do
  :: owed -> look(); assert(attached && named); break    /* the application comes back and takes */
  :: ended && !owed -> break
  od }
#define MUST_KEEP (joined && listed < born)
proctype Janitor(byte me) { bool keep;
  do
  :: atomic { named && !plock && !rlock && !JANITOR -> jlock[me] = 1 };
#ifdef NO_RULE                                       /* as first written: no owner, no attached reader, so nobody wants it */
     keep = 0;
#else
     keep = MUST_KEEP;
#endif
     if :: keep :: else -> named = 0 fi;
     jlock[me] = 0; if :: keep :: else -> break fi; keep = 0
  :: ended -> break
  od }
init { atomic { run Pub(); run Sub(); run Janitor(0); run Janitor(1) } ; gone = 1 }
