# what a change must pass before it is shown; `tests/run` is all of it, with phones
check: fmt clippy doc test deny

fmt:
    cargo fmt --check

clippy:
    cargo clippy --all-targets --locked -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

test:
    cargo test --locked

deny:
    cargo deny --locked check licenses bans sources

# the newest security advisories; needs the network
advisories:
    cargo deny --locked check advisories

# stories, or only those whose name contains a word
story name="":
    cargo test --locked --test story -- {{name}}

# every story again, on many seeds of bad weather
weather seeds="200":
    HOTLINE_SEEDS={{seeds}} cargo test --locked --release --test story -- weather

# random evenings against the model and its invariants
evenings count="10000":
    HOTLINE_EVENINGS={{count}} cargo test --locked --release --test evenings

# a fuzz target (`ls fuzz/fuzz_targets`) for some seconds
fuzz target seconds="600":
    cargo +nightly fuzz run {{target}} -- -max_total_time={{seconds}} -timeout=5 -rss_limit_mb=2048

# real phones against the real binary, with sound
interop:
    tests/interop/run

# the figures of docs/reference/figures.md, again
bench:
    cargo bench --locked
    benches/calls.py

demo:
    cargo run --release
