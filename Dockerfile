# syntax=docker/dockerfile:1

#   docker build -t vivarium .
#   docker run --rm --stop-timeout 40 -p 127.0.0.1:7878:7878 -v vivarium:/data -e VIVARIUM_TOKEN="$(openssl rand -hex 16)" vivarium
#
# and open the address that it prints, with 127.0.0.1 for 0.0.0.0. Without a token the server refuses to listen beyond
# its own machine, which the container is.

# The version of rust-toolchain.toml, which is not copied: its components for checks are not needed here.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && install -D target/release/vivarium /out/vivarium

FROM debian:bookworm-slim
COPY --from=build /out/vivarium /usr/local/bin/vivarium
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/vivarium/
COPY models/src/data/digits/LICENCE.md /usr/share/doc/vivarium/digits.md
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin vivarium \
    && install --directory --owner vivarium --group vivarium /data
USER vivarium
# Runs, data sets and the index.
ENV VIVARIUM_DATA_DIR=/data
VOLUME /data
EXPOSE 7878
# On SIGTERM runs write a checkpoint, for up to 30 seconds, and go on at the next start.
STOPSIGNAL SIGTERM
ENTRYPOINT ["vivarium"]
CMD ["serve", "--host", "0.0.0.0"]
