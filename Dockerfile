# syntax=docker/dockerfile:1

# The program holds its pages, pictures, demo catalog and migrations; the image holds the program.
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin zoco \
    && cp target/release/zoco /usr/local/bin/zoco

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin zoco \
    && install --directory --owner zoco --group zoco --mode 0750 /data
COPY --from=build /usr/local/bin/zoco /usr/local/bin/zoco

ENV ZOCO_LISTEN=0.0.0.0:8000 \
    ZOCO_DATA_DIR=/data
USER zoco
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/zoco", "health"]
# Ctrl-C and SIGTERM let requests under way come to their end.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/zoco"]
CMD ["serve"]
