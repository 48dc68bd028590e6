import { getKey, isObject, numberOf, type Json } from '../json/json-value';

export interface GeoPoint {
  lon: number;
  lat: number;
}

const EARTH_RADIUS_METRES = 6_371_008.8;

export function geoPointOf(value: Json): GeoPoint | undefined {
  if (!isObject(value)) return undefined;
  const lon = numberOf(getKey(value, 'lon'));
  const lat = numberOf(getKey(value, 'lat'));
  if (lon === undefined || lat === undefined) return undefined;
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lon, lat } : undefined;
}

/** Metres along the great circle (haversine). */
export function geoDistance(a: GeoPoint, b: GeoPoint): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const dLat = radians(b.lat - a.lat);
  const dLon = radians(b.lon - a.lon);
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Strictly inside; a box whose left edge lies east of its right edge crosses the antimeridian. */
export function isInBox(point: GeoPoint, topLeft: GeoPoint, bottomRight: GeoPoint): boolean {
  const isBetween =
    topLeft.lon > bottomRight.lon
      ? point.lon > topLeft.lon || point.lon < bottomRight.lon
      : topLeft.lon < point.lon && point.lon < bottomRight.lon;
  return isBetween && bottomRight.lat < point.lat && point.lat < topLeft.lat;
}

/** Inside the exterior ring and outside every interior one. */
export function isInPolygon(point: GeoPoint, exterior: readonly GeoPoint[], interiors: readonly GeoPoint[][]): boolean {
  return isInRing(point, exterior) && !interiors.some((ring) => isInRing(point, ring));
}

function isInRing(point: GeoPoint, ring: readonly GeoPoint[]): boolean {
  let isInside = false;
  for (let at = 0; at + 1 < ring.length; at += 1) {
    const a = ring[at] as GeoPoint;
    const b = ring[at + 1] as GeoPoint;
    if (a.lat > point.lat === b.lat > point.lat) continue;
    if (point.lon < ((b.lon - a.lon) * (point.lat - a.lat)) / (b.lat - a.lat) + a.lon) isInside = !isInside;
  }
  return isInside;
}
