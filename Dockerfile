# syntax=docker/dockerfile:1

# Compiles with the development dependencies, which the image that runs does not have.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit
COPY scripts ./scripts
COPY migrations ./migrations
COPY src ./src
RUN npm run build

# The embedded PostgreSQL server is an optional dependency: this image is given a server by DATABASE_URL.
FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --no-audit && npm cache clean --force

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    PORT=4000 \
    KINDRED_DATA_DIR=/data \
    KINDRED_MODEL_CACHE_DIR=/data/models \
    npm_config_cache=/tmp/npm
WORKDIR /app
RUN install -d -o node -g node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json README.md LICENSE ./
USER node
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node as the first process would not reap children or die of a signal before it listens for it: run with `--init`.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["serve"]
