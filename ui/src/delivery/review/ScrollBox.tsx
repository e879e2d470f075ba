import { Box } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { label: string; children: ReactNode };

/** Holds a table: what is too wide scrolls in here, also by the keyboard. */
export function ScrollBox({ label, children }: Props) {
  return (
    <Box role="region" aria-label={label} tabIndex={0} overflowX="auto" maxW="full">
      {children}
    </Box>
  );
}
