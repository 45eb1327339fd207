select naive.step(nextval('naive.position'));
