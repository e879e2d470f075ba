import { Box, HStack, Link } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { Link as RouterLink, type To } from "react-router-dom";
import { useCurrentInView } from "./useCurrentInView";

export type TabLink = { key: string; to: To; label: ReactNode };

type Props = { name: string; current: string; links: TabLink[] };

/** Parts of a page as links: each has an address. *name* is what readers call all of them. */
export function TabLinks({ name, current, links }: Props) {
  const box = useCurrentInView<HTMLDivElement>(current);
  return (
    <Box ref={box} as="nav" aria-label={name} overflowX="auto">
      <HStack as="ul" gap={1} listStyleType="none">
        {links.map(({ key, to, label }) => (
          <li key={key}>
            <Link
              asChild
              variant="plain"
              px={3}
              py={2}
              borderRadius="md"
              css={CURRENT}
              whiteSpace="nowrap"
            >
              <RouterLink to={to} aria-current={key === current ? "page" : undefined}>
                {label}
              </RouterLink>
            </Link>
          </li>
        ))}
      </HStack>
    </Box>
  );
}

const CURRENT = {
  // Inside: the box around cuts off what stands out.
  "&:focus-visible": { outlineOffset: "-2px" },
  '&[aria-current="page"]': { fontWeight: "semibold", bg: "bg.emphasized" },
};
